from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING
from unittest.mock import patch
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.api.servers import served
from tests.api.sigv4 import expected_signature
from tidemark.api.exchange import Answer, Headers, Request
from tidemark.api.httpx_transport import HttpxTransport
from tidemark.api.signing import build_url, encoded, sign

if TYPE_CHECKING:
    from collections.abc import Iterator

SECRET = "a/secret+key"
SOMEBODY = Credentials("AKID", SECRET, None)
API = "http://127.0.0.1:4566/_aws/execute-api/abc/prod"
TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)
HEADER_TEXT = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1)


def signed(request: Request, *, region: str = "eu-north-1", token: str | None = None) -> Request:
    return sign(request, credentials=Credentials("AKID", SECRET, token), region=region)


@given(segment=TEXT, value=TEXT)
@example(segment="a/b", value="a b+c&d=e")
@example(segment="..", value="~")
@example(segment="{id}", value="ü%2F")
def test_what_is_encoded_is_decoded_to_the_same(segment: str, value: str) -> None:
    url = build_url(API, "/accounts/{id}/statement", {"id": segment}, {"cursor": value})
    split = urlsplit(url)
    head, tail = split.path.removeprefix(urlsplit(API).path).split("/")[2:]
    assert unquote(head) == segment
    assert tail == "statement"
    assert parse_qsl(split.query, keep_blank_values=True) == [("cursor", value)]


@given(segment=TEXT, value=TEXT)
def test_an_encoded_url_has_only_unreserved_characters_and_escapes(
    segment: str, value: str
) -> None:
    url = build_url("", "/{id}", {"id": segment}, {"q": value})
    assert re.fullmatch(
        r"/(?:[A-Za-z0-9._~-]|%[0-9A-F]{2})+\?q=(?:[A-Za-z0-9._~-]|%[0-9A-F]{2})+", url
    )


def test_a_parameter_that_is_none_is_left_out() -> None:
    assert build_url(API, "/x", {}, {"a": None, "b": 0}) == f"{API}/x?b=0"
    assert build_url(API, "/x", {}, {"a": None}) == f"{API}/x"


def test_a_template_without_its_value_is_an_error() -> None:
    with pytest.raises(KeyError):
        build_url(API, "/accounts/{id}", {})


@pytest.fixture(scope="module")
def arrived() -> Iterator[tuple[str, list[Request]]]:
    requests: list[Request] = []

    def remember(request: Request) -> Answer:
        requests.append(request)
        return Answer(200)

    with served(remember) as url:
        yield url, requests


@pytest.fixture(scope="module")
def transport() -> Iterator[HttpxTransport]:
    with HttpxTransport(timeout_s=20) as httpx_transport:
        yield httpx_transport


@settings(max_examples=60, deadline=None)
@given(segment=TEXT, value=TEXT, key=HEADER_TEXT, body=st.binary(max_size=64))
@example(segment="..", value="a+b c", key="two  spaces", body=b"")
@example(segment="a/b//c", value="=&?", key="x", body="{é}".encode())
def test_what_arrives_bears_the_signature_of_what_arrived(
    arrived: tuple[str, list[Request]],
    transport: HttpxTransport,
    segment: str,
    value: str,
    key: str,
    body: bytes,
) -> None:
    url, requests = arrived
    sent = build_url(url, "/prod/accounts/{id}/deposits", {"id": segment}, {"b": value, "a": 1})
    headers = Headers({"Idempotency-Key": key, "Content-Type": "application/json"})
    transport(signed(Request("POST", sent, headers, body)))
    got = requests[-1]
    assert got.url == sent.removeprefix(url)
    bears, should_bear = expected_signature("POST", got.url, got.headers, got.body, SECRET)
    assert bears == should_bear
    assert "idempotency-key" in got.headers["authorization"]


@given(
    change=st.sampled_from(
        [
            {"method": "PUT"},
            {"target": "/prod/accounts/other"},
            {"body": b"other"},
            {"secret_key": "other"},
        ]
    )
)
def test_the_second_opinion_notices_a_change(change: dict[str, str | bytes]) -> None:
    request = signed(Request("POST", "http://127.0.0.1:1/prod/accounts", body=b"{}"))
    headers = Headers({**request.headers, "host": "127.0.0.1:1"})
    arguments = {
        "method": "POST",
        "target": "/prod/accounts",
        "headers": headers,
        "body": b"{}",
        "secret_key": SECRET,
    }
    bears, should_bear = expected_signature(**arguments)  # type: ignore[arg-type]  # one dict, several types
    assert bears == should_bear
    bears, should_bear = expected_signature(**(arguments | change))  # type: ignore[arg-type]  # likewise
    assert bears != should_bear


HEADER_NAME = st.sampled_from(
    ["Idempotency-Key", "content-type", "If-Match", "X-Amz-Date", "Authorization", "User-Agent"]
)
CREDENTIALS = st.builds(
    Credentials, HEADER_TEXT, HEADER_TEXT, st.one_of(st.none(), HEADER_TEXT.map(str.strip))
)
QUERY = st.lists(st.tuples(TEXT, TEXT).map(lambda pair: "=".join(map(encoded, pair))), max_size=4)


@settings(deadline=None)
@given(
    method=st.sampled_from(["GET", "POST"]),
    at=st.sampled_from(["http://127.0.0.1:4566", "https://a.b:443", "http://a:80", "https://a:80"]),
    path=st.lists(TEXT.map(encoded), max_size=4).map("/".join),
    query=QUERY.map("&".join),
    headers=st.dictionaries(HEADER_NAME, HEADER_TEXT, max_size=4),
    body=st.binary(max_size=64),
    credentials=CREDENTIALS,
    region=st.sampled_from(["us-east-1", "eu-central-2"]),
    at_s=st.integers(0, 2**32),
)
@example("GET", "http://a", "b%2Fc//.d/../e/.", "b&a=2&a=1&=", {}, b"", SOMEBODY, "r", 0)
@example("GET", "http://a", "..", "one", {"Host": "other"}, b"", SOMEBODY, "r", 0)
def test_it_is_the_signature_that_botocore_makes(  # noqa: PLR0917  a request's parts
    method: str,
    at: str,
    path: str,
    query: str,
    headers: dict[str, str],
    body: bytes,
    credentials: Credentials,
    region: str,
    at_s: int,
) -> None:
    url = f"{at}/{path}" + (f"?{query}" if query else "")
    theirs = AWSRequest(method=method, url=url, data=body, headers=headers)
    then = dt.datetime.fromtimestamp(at_s, dt.UTC)
    with patch("botocore.auth.get_current_datetime", return_value=then):
        SigV4Auth(credentials.get_frozen_credentials(), "execute-api", region).add_auth(theirs)

    request = Request(method, url, Headers(headers), body)
    ours = sign(request, credentials=credentials, region=region, at_s=at_s)

    assert dict(ours.headers) == dict(theirs.headers.items())


def test_refreshed_credentials_sign_at_once() -> None:
    credentials = Credentials("AKID", SECRET)
    request = Request("GET", f"{API}/accounts/a")
    first = sign(request, credentials=credentials, region="r", at_s=0)
    credentials.access_key, credentials.secret_key = "AKID2", "another"

    second = sign(request, credentials=credentials, region="r", at_s=0)

    assert "AKID2" in second.headers["authorization"]
    assert second.headers["authorization"][-64:] != first.headers["authorization"][-64:]


def test_the_scope_names_region_and_service() -> None:
    request = signed(Request("GET", f"{API}/accounts/a"), region="eu-north-1")
    assert "/eu-north-1/execute-api/aws4_request" in request.headers["authorization"]


def test_a_session_token_travels_signed() -> None:
    request = signed(Request("GET", f"{API}/accounts/a"), token="a-token")
    assert request.headers["x-amz-security-token"] == "a-token"
    assert "x-amz-security-token" in request.headers["authorization"]


def test_no_secret_shows_in_the_representation_of_a_signed_request() -> None:
    request = signed(Request("GET", f"{API}/accounts/a"), token="a-token")
    assert "a-token" not in repr(request)
    assert request.headers["authorization"] not in repr(request)


@given(st.sampled_from(["\n", "\r", "\x00", "\x7f"]), HEADER_TEXT)
def test_a_header_with_a_control_character_is_refused(control: str, text: str) -> None:
    with pytest.raises(ValueError, match="control character"):
        Request("GET", API, Headers({"idempotency-key": f"{text}{control}"}))
