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
from ministack import app as ministack

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
        self.scopes: list[Any] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.scopes.append(scope)
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
    guard = Guard(emulator or Emulator())
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
        {"Origin": "http://localhost:3000"},
        {"Origin": "http://localhost:3000", "Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "none"},
    ],
)
def test_an_api_without_authorization_answers_this_machine_unsigned(
    headers: dict[str, str],
) -> None:
    assert status(API, headers=headers) == 200


@pytest.mark.parametrize(
    ("host", "path"),
    [
        ("nobody.execute-api.localhost:4599", "/2015-03-31/functions"),
        ("x.lambda-url.us-east-1.localhost:4599", "/2015-03-31/functions"),
        (HOST, "/_aws/execute-api/"),
        (HOST, "/_aws/execute-api/a1b2c3d4"),
        (HOST, "/restapis/a1b2c3d4/resources/x/_user_request_"),
    ],
)
def test_what_only_looks_like_an_api_is_signed(host: str, path: str) -> None:
    assert status(path, "POST", headers={"Host": host}) == 403


@pytest.mark.parametrize(
    ("host", "path", "reached"),
    [
        ("a1b2c3d4.execute-api.localhost:4599", "/v20180820/x", f"{API[:26]}/v20180820/x"),
        (f"{'a' * 32}.lambda-url.eu.localhost", "/x%2Fy", f"/_aws/lambda-url/{'a' * 32}/x%2Fy"),
    ],
)
def test_an_api_that_a_host_names_is_all_that_an_unsigned_request_reaches(
    host: str, path: str, reached: str
) -> None:
    emulator = Emulator()

    assert status(path, "POST", headers={"Host": host}, emulator=emulator) == 200
    [scope] = emulator.scopes
    assert scope["path"] == reached
    assert scope["raw_path"] == reached.encode()
    assert dict(scope["headers"])[b"host"].startswith(b"localhost:")


def test_a_signature_on_an_api_must_be_right() -> None:
    path = API
    right = signed(path, service="execute-api")
    wrong = signed(path, STRANGER, service="execute-api")

    assert status(path, "POST", headers=right) == 200
    assert status(path, "POST", headers=wrong) == 403
    assert dict(ask(path, "POST", headers=wrong)[0]["headers"])[b"x-amzn-errortype"] == (
        b"InvalidSignatureException"
    )


@pytest.mark.parametrize(
    "claim", ["x-amz-signature=any", "X-Amz-Credential=test/any", "AWSAccessKeyId=test"]
)
def test_a_claim_that_the_emulator_would_believe_is_checked(claim: str) -> None:
    assert status(f"{API}?{claim}") == 403
    assert ask(f"{API}?{claim}", kind="websocket") == [{"type": "websocket.close", "code": 1008}]


def test_nobody_signs_by_one_key_and_calls_as_another() -> None:
    assert status(presigned(), headers={"Authorization": "AWS4-HMAC-SHA256 Credential=A/"}) == 403


@pytest.mark.parametrize(("kind", "passed_on"), [("AWS_IAM", None), ("JWT", b"Bearer token")])
def test_no_other_authorization_passes_for_a_signature(
    monkeypatch: pytest.MonkeyPatch, kind: str, passed_on: bytes | None
) -> None:
    monkeypatch.setattr(ministack, "_execute_api_authorization_type", lambda *_: kind)
    emulator = Emulator()

    ask(API, headers={"Authorization": "Bearer token"}, emulator=emulator)

    [scope] = emulator.scopes
    assert dict(scope["headers"]).get(b"authorization") == passed_on


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
    ("path", "method", "expected"),
    [
        ("/_ministack/health", "GET", 200),
        ("/_localstack/health", "GET", 200),
        ("/_ministack/cfn-response/token", "PUT", 200),
        ("/_ministack/cfn-response/token", "POST", 403),
    ],
)
def test_its_health_and_the_callbacks_with_tokens_are_open_and_nothing_beside_them(
    path: str, method: str, expected: int
) -> None:
    assert (
        status(path, method, headers={"X-Amz-Target": "DynamoDB_20120810.ListTables"}) == expected
    )


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
