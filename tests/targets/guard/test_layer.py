"""What the guard lets through to the emulator, and what it answers itself."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.auth import HmacV1QueryAuth, SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tidemark.targets.guard.layer import Guard

SECRET = "of this target"
HOST = "127.0.0.1:4599"
URL = f"http://{HOST}"
API = "/_aws/execute-api/a1b2c3d4/v1/accounts"
SOMEBODY = Credentials("test", SECRET)
FUNCTION = Credentials("000000000000", SECRET)
STRANGER = Credentials("test", "test")


@pytest.fixture(autouse=True)
def secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.delenv("AWS_ACCESS_KEY_ID", raising=False)
    monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)


class Emulator:
    """An app that answers every request, with an invitation to all pages."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.accept"})
            return
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        self.bodies.append(body)
        headers = [(b"Access-Control-Allow-Origin", b"*"), (b"etag", b'"1"')]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"served"})


def ask(
    path: str = "/",
    method: str = "GET",
    *,
    headers: dict[str, str] | None = None,
    body: bytes = b"",
    kind: str = "http",
    emulator: Emulator | None = None,
    wants_signatures: bool = True,
) -> list[dict[str, Any]]:
    """Send one request, its body in two parts, and return what was answered."""
    answered: list[dict[str, Any]] = []
    parts = [
        {"type": "http.request", "body": body[:1], "more_body": True},
        {"type": "http.request", "body": body[1:], "more_body": False},
    ]

    async def receive() -> dict[str, Any]:
        return parts.pop(0)

    async def send(message: dict[str, Any]) -> None:
        answered.append(message)

    split = urlsplit(path)
    scope = {
        "type": kind,
        "method": method,
        "path": split.path,
        "raw_path": split.path.encode(),
        "query_string": split.query.encode(),
        "headers": [
            (name.lower().encode(), value.encode())
            for name, value in ({"Host": HOST} | (headers or {})).items()
        ],
    }
    guard = Guard(emulator or Emulator(), wants_signatures=wants_signatures)
    asyncio.run(guard(scope, receive, send))  # type: ignore[arg-type]
    return answered


def status(*arguments: Any, **options: Any) -> int:
    code: int = ask(*arguments, **options)[0]["status"]
    return code


def signed(
    path: str = "/", credentials: Credentials = SOMEBODY, service: str = "sqs", body: bytes = b""
) -> dict[str, str]:
    request = AWSRequest("POST", URL + path, data=body, headers={"Host": HOST})
    SigV4Auth(credentials, service, "us-east-1").add_auth(request)
    return dict(request.headers.items())


def presigned(credentials: Credentials = SOMEBODY, *, expires_s: int = 60) -> str:
    request = AWSRequest("GET", f"{URL}/bucket/key", headers={"Host": HOST})
    SigV4QueryAuth(credentials, "sqs", "us-east-1", expires=expires_s).add_auth(request)
    return str(request.url).removeprefix(URL)


@pytest.mark.parametrize("credentials", [SOMEBODY, FUNCTION])
def test_who_signs_with_the_secret_is_served_with_the_whole_body(credentials: Credentials) -> None:
    emulator = Emulator()
    headers = signed(credentials=credentials, body=b"Action=ListQueues")

    assert status("/", "POST", headers=headers, body=b"Action=ListQueues", emulator=emulator) == 200
    assert emulator.bodies == [b"Action=ListQueues"]


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({}, b""),
        (signed(credentials=STRANGER), b""),
        (signed(body=b"Action=ListQueues"), b"Action=DeleteQueue"),
        (signed("/another"), b""),
        (signed(credentials=Credentials("AKIAIOSFODNN7EXAMPLE", SECRET)), b""),
        ({"Authorization": "AWS4-HMAC-SHA256 Credential=test"}, b""),
        ({"Authorization": "AWS test:c2lnbmF0dXJl"}, b""),
        ({"Authorization": "Bearer token"}, b""),
    ],
)
def test_who_does_not_is_refused_and_the_emulator_never_sees_it(
    headers: dict[str, str], body: bytes
) -> None:
    emulator = Emulator()

    assert status("/", "POST", headers=headers, body=body, emulator=emulator) == 403
    assert not emulator.bodies


def test_a_body_that_is_not_the_one_whose_hash_was_signed_is_refused() -> None:
    request = AWSRequest("PUT", f"{URL}/bucket/key", data=b"one", headers={"Host": HOST})
    request.headers["X-Amz-Content-SHA256"] = "0" * 64
    SigV4Auth(SOMEBODY, "s3", "us-east-1").add_auth(request)

    assert status("/bucket/key", "PUT", headers=dict(request.headers.items()), body=b"two") == 403


def test_a_presigned_url_is_its_own_permission_until_it_expires() -> None:
    assert status(presigned()) == 200
    assert status(presigned(STRANGER)) == 403
    assert status(presigned(expires_s=-1)) == 403


@pytest.mark.parametrize(("credentials", "expected"), [(SOMEBODY, 200), (STRANGER, 403)])
def test_so_is_one_with_the_elder_signature(credentials: Credentials, expected: int) -> None:
    request = AWSRequest("GET", f"{URL}/bucket/key", headers={"Host": HOST})
    HmacV1QueryAuth(credentials, expires=60).add_auth(request)

    assert status(str(request.url).removeprefix(URL)) == expected


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "rebound.example:4599"},
        {"Host": ""},
        {"Host": "127.0.0.1.example"},
        {"Host": "[oops"},
        {"Origin": "https://page.example"},
        {"Origin": "null"},
        {"Origin": "file://"},
        {"Origin": f"{URL}, https://page.example"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
@pytest.mark.parametrize("path", ["/", API, "/_ministack/health"])
def test_no_page_and_no_name_of_elsewhere_reaches_anything(
    path: str, headers: dict[str, str]
) -> None:
    assert status(path, "POST", headers=signed(path) | headers) == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "localhost:4599"},
        {"Host": "[::1]:4599"},
        {"Host": "a1b2c3d4.execute-api.localhost:4599"},
        {"Origin": "http://localhost:3000"},
        {"Origin": "http://localhost:3000", "Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "none"},
    ],
)
def test_an_api_without_authorization_answers_this_machine_unsigned(
    headers: dict[str, str],
) -> None:
    assert status(API, headers=headers) == 200


def test_a_signature_on_an_api_must_be_right() -> None:
    path = API
    right = signed(path, service="execute-api")
    wrong = signed(path, STRANGER, service="execute-api")

    assert status(path, "POST", headers=right) == 200
    assert status(path, "POST", headers=wrong) == 403


def test_an_api_answers_pages_for_itself_and_the_emulator_invites_none() -> None:
    of_an_api = dict(ask(API)[0]["headers"])
    of_the_emulator = dict(ask("/", "POST", headers=signed())[0]["headers"])

    assert b"Access-Control-Allow-Origin" in of_an_api
    assert of_the_emulator == {b"etag": b'"1"'}


def test_a_page_that_asks_beforehand_is_refused() -> None:
    assert status("/", "OPTIONS", headers={"Origin": "http://localhost:3000"}) == 403


@pytest.mark.parametrize(
    "path", ["/_ministack/reset", "/_ministack/config", "/_localstack/state/reset"]
)
def test_its_administration_is_closed_even_to_who_knows_the_secret(path: str) -> None:
    assert status(path, "POST", headers=signed(path)) == 403


@pytest.mark.parametrize(
    "path", ["/_ministack/health", "/_localstack/health", "/_ministack/cfn-response/token"]
)
def test_its_health_and_the_callbacks_with_tokens_are_open(path: str) -> None:
    assert status(path, "PUT") == 200


def test_only_a_deployed_api_takes_web_sockets() -> None:
    assert ask("/", kind="websocket") == [{"type": "websocket.close", "code": 1008}]
    assert ask(API, kind="websocket") == [{"type": "websocket.accept"}]
    assert ask(API, kind="websocket", headers={"Origin": "https://page.example"}) == [
        {"type": "websocket.close", "code": 1008}
    ]


def test_a_refusal_comes_in_the_form_of_the_protocol_that_was_asked() -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    as_json = ask("/", "POST")[1]["body"]
    as_xml = ask("/", "POST", headers=form)[1]["body"]

    assert "tidemark env" in json.loads(as_json)["message"]
    assert as_xml.startswith(b"<ErrorResponse><Error><Code>MissingAuthenticationToken</Code>")


def test_without_a_secret_everything_else_is_refused_all_the_same() -> None:
    assert status("/", "POST", wants_signatures=False) == 200
    for headers in ({"Origin": "https://page.example"}, {"Host": "rebound.example"}):
        assert status("/", "POST", headers=headers, wants_signatures=False) == 403
    assert status("/_ministack/reset", "POST", wants_signatures=False) == 403
