"""The layer around the emulator's ASGI app: it lets a request through, or answers it itself."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote
from xml.sax.saxutils import escape

from tidemark.targets.guard import deployed, origin, signature

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence

    Message = MutableMapping[str, Any]
    Scope = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]
    App = Callable[[Scope, Receive, Send], Awaitable[None]]

_HEALTH = {"/_ministack/health", "/_ministack/ready", "/_localstack/health", "/health"}
# Where a custom resource and a wait condition put their answer; the token in the path is the
# permission. The emulator takes these paths for callbacks only where they are put.
_CALLBACKS = ("/_ministack/cfn-response/", "/_ministack/cfn-signal/")
# What AWS calls the same where it answers in JSON.
_OF_JSON = {
    "MissingAuthenticationToken": "MissingAuthenticationTokenException",
    "SignatureDoesNotMatch": "InvalidSignatureException",
}
_CLOSED = ("/_ministack/", "/_localstack/")
_UNSIGNED = (
    "MissingAuthenticationToken",
    "The embedded target takes signed requests only: `tidemark env` prints the keys.",
)


class Guard:
    """The emulator's app with a guard in front of it.

    What asks the emulator itself is signed with the target's secret, or by a key or a session
    that its IAM or STS issued. What asks a deployed API is so where the API's route says it.

    Args:
        app: The emulator's ASGI app.
    """

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one connection; see https://asgi.readthedocs.io/en/latest/specs/www.html."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        headers = _headers(scope)
        query = parse_qs(scope.get("query_string", b"").decode(), keep_blank_values=True)
        api = deployed.addressed(headers.get("host", ""), scope["path"])
        is_claimed = signature.is_claimed(headers, query)
        why = origin.foreign(headers)
        if why is not None:
            await _refuse(scope, send, "AccessDenied", f"Refused: {why}.")
        elif scope["type"] == "websocket" and api is None:
            await _refuse(scope, send, "AccessDenied", "Only a deployed API takes web sockets.")
        elif api is not None and not is_claimed:
            await self._app(deployed.unsigned(scope, headers["host"], api), receive, send)
        elif api is None and _is_open(scope):
            await self._app(scope, receive, _without_cors(send))
        elif api is None and scope["path"].startswith(_CLOSED):
            await _refuse(scope, send, "AccessDenied", "Its own administration is closed.")
        elif api is None and scope["method"] == "OPTIONS":
            await _refuse(scope, send, "AccessDenied", "No page may ask the emulator itself.")
        elif not is_claimed:
            await _refuse(scope, send, *_UNSIGNED)
        else:
            # A web socket is signed before there is anything to receive.
            is_http = scope["type"] == "http"
            body, again = await _whole(receive) if is_http else (b"", receive)
            refused = signature.refusal(_signed(scope, query, headers, body))
            if refused is not None:
                await _refuse(scope, send, *refused)
            else:
                await self._app(scope, again, _without_cors(send) if api is None else send)


def _is_open(scope: Scope) -> bool:
    path: str = scope["path"]
    return path in _HEALTH or (scope["method"] == "PUT" and path.startswith(_CALLBACKS))


def _signed(
    scope: Scope, query: Mapping[str, Sequence[str]], headers: Mapping[str, str], body: bytes
) -> signature.Signed:
    raw_path = scope.get("raw_path") or quote(scope["path"]).encode()
    method = scope.get("method", "GET")  # a web socket begins as one
    return signature.Signed(method, raw_path.decode("latin-1"), query, headers, body)


def _headers(scope: Scope) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in scope["headers"]:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        # Two hosts or origins are no loopback; of others, one value each was signed.
        found[key] = f"{found[key]},{text}" if key in found else text
    return found


async def _whole(receive: Receive) -> tuple[bytes, Receive]:
    """The body of a request, and what lets the app read it once more."""
    messages: list[Message] = []
    while True:
        message = await receive()
        messages.append(message)
        if message["type"] != "http.request" or not message.get("more_body"):
            break
    body = b"".join(message.get("body", b"") for message in messages)
    waiting = iter(messages)

    async def again() -> Message:
        return next(waiting, None) or await receive()

    return body, again


def _without_cors(send: Send) -> Send:
    """Drop the emulator's own invitation to every page of the web."""

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [
                (name, value)
                for name, value in message.get("headers", ())
                if not name.lower().startswith(b"access-control-")
            ]
        await send(message)

    return sent


async def _refuse(scope: Scope, send: Send, code: str, sentence: str) -> None:
    """Answer 403 in the form that the asked protocol has for errors.

    The SDKs read XML where they ask by forms or ask S3, and JSON elsewhere
    (https://smithy.io/2.0/aws/protocols/index.html).
    """
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})
        return
    headers = _headers(scope)
    is_xml = headers.get("content-type", "").startswith(
        "application/x-www-form-urlencoded"
    ) or "/s3/aws4_request" in headers.get("authorization", "")
    if is_xml:
        body = (
            f"<ErrorResponse><Error><Code>{escape(code)}</Code><Message>{escape(sentence)}"
            "</Message></Error><RequestId>guard</RequestId></ErrorResponse>"
        )
    else:
        code = _OF_JSON.get(code, code)
        body = json.dumps({"__type": code, "message": sentence})
    answer = [
        (b"content-type", b"text/xml" if is_xml else b"application/json"),
        (b"content-length", str(len(body.encode())).encode()),
        (b"x-amzn-errortype", code.encode()),
    ]
    await send({"type": "http.response.start", "status": 403, "headers": answer})
    await send({"type": "http.response.body", "body": body.encode()})
