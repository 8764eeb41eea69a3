"""The layer around the emulator's ASGI app: it lets a request through, or answers it itself."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote
from xml.sax.saxutils import escape

from tidemark.targets.guard import origin, signature

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, MutableMapping

    Message = MutableMapping[str, Any]
    Scope = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]
    App = Callable[[Scope, Receive, Send], Awaitable[None]]

_HEALTH = {"/_ministack/health", "/_ministack/ready", "/_localstack/health", "/health"}
# What a custom resource and a wait condition answer to; the token in the path is the permission.
_CALLBACKS = ("/_ministack/cfn-response/", "/_ministack/cfn-signal/")
_CLOSED = ("/_ministack/", "/_localstack/")
# Where deployed APIs and function URLs answer: whether they want a signature, their routes say.
_API_PATHS = ("/_aws/execute-api/", "/_aws/lambda-url/")
_API_HOSTS = (".execute-api.", ".lambda-url.")
_LEGACY_API_PATH = "/_user_request_"


class Guard:
    """The emulator's app with a guard in front of it.

    Args:
        app: The emulator's ASGI app.
        wants_signatures: Whether it must be signed with the target's secret what is asked of the
            emulator itself.
    """

    def __init__(self, app: App, *, wants_signatures: bool) -> None:
        self._app = app
        self._wants_signatures = wants_signatures

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one connection; see https://asgi.readthedocs.io/en/latest/specs/www.html."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        headers = _headers(scope)
        is_api = _is_of_an_api(headers.get("host", ""), scope["path"])
        why = origin.foreign(headers)
        if why is not None:
            await _refuse(scope, send, "AccessDenied", f"Refused: {why}.")
        elif scope["type"] == "websocket":
            await self._connect(scope, receive, send, is_api=is_api)
        elif scope["method"] == "OPTIONS" and not is_api:
            await _refuse(scope, send, "AccessDenied", "No page may ask the emulator itself.")
        else:
            await self._answer(scope, receive, send, headers, is_api=is_api)

    async def _connect(self, scope: Scope, receive: Receive, send: Send, *, is_api: bool) -> None:
        if is_api:
            await self._app(scope, receive, send)
        else:
            await _refuse(scope, send, "AccessDenied", "Only a deployed API takes web sockets.")

    async def _answer(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        headers: Mapping[str, str],
        *,
        is_api: bool,
    ) -> None:
        path = scope["path"]
        is_open = path in _HEALTH or path.startswith(_CALLBACKS)
        query = parse_qs(scope.get("query_string", b"").decode(), keep_blank_values=True)
        if path.startswith(_CLOSED) and not is_open:
            await _refuse(scope, send, "AccessDenied", "Its own administration is closed.")
            return
        is_unsigned = is_api and not signature.is_claimed(headers, query)
        if is_open or is_unsigned or not self._wants_signatures:
            await self._app(scope, receive, send if is_api else _without_cors(send))
            return
        if not signature.is_claimed(headers, query):
            await _refuse(
                scope,
                send,
                "MissingAuthenticationToken",
                "The embedded target takes signed requests only: `tidemark env` prints the keys.",
            )
            return
        body, again = await _whole(receive)
        raw_path = scope.get("raw_path") or quote(path).encode()
        refused = signature.refusal(
            signature.Signed(scope["method"], raw_path.decode("latin-1"), query, headers, body)
        )
        if refused is not None:
            await _refuse(scope, send, *refused)
        else:
            await self._app(scope, again, send if is_api else _without_cors(send))


def _headers(scope: Scope) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in scope["headers"]:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        # Two hosts or origins are no loopback; of others, one value each was signed.
        found[key] = f"{found[key]},{text}" if key in found else text
    return found


def _is_of_an_api(host: str, path: str) -> bool:
    return (
        path.startswith(_API_PATHS)
        or any(part in host for part in _API_HOSTS)
        or (path.startswith("/restapis/") and _LEGACY_API_PATH in path)
    )


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
        body = json.dumps({"__type": code, "message": sentence})
    answer = [
        (b"content-type", b"text/xml" if is_xml else b"application/json"),
        (b"content-length", str(len(body.encode())).encode()),
        (b"x-amzn-errortype", code.encode()),
    ]
    await send({"type": "http.response.start", "status": 403, "headers": answer})
    await send({"type": "http.response.body", "body": body.encode()})
