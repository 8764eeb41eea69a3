"""The usual signature passes quickly, and nothing passes so that the emulator would refuse."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from ministack.core import sigv4

from tidemark.targets.guard import usual
from tidemark.targets.guard.signature import Signed, refusal

if TYPE_CHECKING:
    from collections.abc import Callable

SECRET = "of this target"
ROOT = Credentials("test", SECRET)
HEADERS = {"Host": "127.0.0.1:4599", "X-Amz-Target": "DynamoDB_20120810.GetItem", "X-Odd": " a  b "}
URL = "http://127.0.0.1:4599/_aws/execute-api/a1/v1/accounts/a%20b"


@pytest.fixture(autouse=True)
def secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)


def signed(
    url: str = URL,
    credentials: Credentials = ROOT,
    body: bytes = b"{}",
    signer: Callable[..., Any] = SigV4Auth,
    service: str = "dynamodb",
) -> Signed:
    request = AWSRequest("POST", url, data=body, headers=dict(HEADERS))
    signer(credentials, service, "us-east-1").add_auth(request)
    split = urlsplit(url)
    headers = {name.lower(): value for name, value in request.headers.items()}
    return Signed("POST", split.path, parse_qs(split.query, keep_blank_values=True), headers, body)


@pytest.mark.parametrize(
    "url", [URL, f"{URL}?b=2&a=%20x&a=", "http://127.0.0.1:4599/", "http://127.0.0.1:4599/a/./b"]
)
@pytest.mark.parametrize("key_id", ["test", "000000000000"])
def test_the_usual_one_passes_without_the_emulators_own_check(
    monkeypatch: pytest.MonkeyPatch, url: str, key_id: str
) -> None:
    monkeypatch.setattr(sigv4, "parse_header_signature", None)

    assert refusal(signed(url, Credentials(key_id, SECRET))) is None


@pytest.mark.parametrize(
    "other",
    [
        {"method": "PUT"},
        {"raw_path": "/another"},
        {"query": {"a": ["1"]}},
        {"body": b"{ }"},
        *({"headers": {name: "another"}} for name in ("host", "x-amz-target", "x-amz-date")),
    ],
)
def test_what_was_not_signed_does_not(other: dict[str, Any]) -> None:
    right = signed()
    if "headers" in other:
        other = {"headers": {**right.headers, **other["headers"]}}

    assert usual.is_right(right)
    assert not usual.is_right(right._replace(**other))
    assert refusal(right._replace(**other)) is not None


def test_nor_does_a_strangers(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not usual.is_right(signed(credentials=Credentials("test", "test")))

    old = signed()
    monkeypatch.setattr("time.time", lambda: 2_000_000_000.0)
    assert not usual.is_right(old)


def test_an_unusual_one_is_left_to_the_emulators_own_check() -> None:
    for one in (
        signed(credentials=Credentials("ASIAEXAMPLE", SECRET, "token")),
        signed(credentials=Credentials("AKIAEXAMPLE", SECRET)),
        signed(signer=S3SigV4Auth, service="s3"),
    ):
        assert not usual.is_right(one)
