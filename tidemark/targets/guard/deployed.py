"""Deployed APIs and function URLs: what is addressed to one, as the emulator itself reads it."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ministack import app as ministack
from ministack.services.apigateway import decode_http_api_path

from tidemark.api.exchange import is_loopback

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    Scope = MutableMapping[str, Any]

_APIS = "/_aws/execute-api/"
_FUNCTION_URLS = "/_aws/lambda-url/"


@lru_cache(maxsize=1024)
def addressed(host: str, path: str) -> str | None:
    """The path that a request to an API has where no host names the API; ``None`` if to none.

    The emulator's own reading decides: what it would take for anything else is no API's.

    Args:
        host: The host that the request names.
        path: Its path.
    """
    for prefix, read in (
        (_APIS, ministack._parse_execute_api_url),  # noqa: SLF001 -- there is no public way
        (_FUNCTION_URLS, ministack._parse_lambda_url),  # noqa: SLF001 -- likewise
    ):
        if (found := read(host, path)) is not None:
            return f"{prefix}{found[0]}{path}" if host.startswith(f"{found[0]}.") else path
    return None


def unsigned(scope: Scope, host: str, path: str) -> Scope:
    """An unsigned request to an API: it reaches nothing else, and passes for no signed one.

    Where a host names an API the path is free, and the emulator looks at some paths first. And
    where a route wants a signature, it takes any `Authorization` header for one.

    Args:
        scope: The request's.
        host: The host that it names.
        path: See :func:`addressed`.
    """
    raw_path = scope["raw_path"]
    if path != scope["path"]:
        raw_path = path.removesuffix(scope["path"]).encode() + raw_path
    if not is_loopback(f"http://{host}"):
        host = f"localhost:{urlsplit(f'http://{host}').port or 80}"
    dropped = {b"host"} | (
        {b"authorization"} if _wants_a_signature(scope, path, raw_path) else set()
    )
    kept = [(name, value) for name, value in scope["headers"] if name.lower() not in dropped]
    return {
        **scope,
        "path": path,
        "raw_path": raw_path,
        "headers": [(b"host", host.encode()), *kept],
    }


def _wants_a_signature(scope: Scope, path: str, raw_path: bytes) -> bool:
    """Whether a route has IAM authorization; a function's URL looks at signatures itself.

    An HTTP API finds its route by a path that is decoded in another way.
    """
    method = scope.get("method", "GET")  # a web socket begins as one
    for one in (path, decode_http_api_path(raw_path.decode("latin-1"))):
        found = ministack._parse_execute_api_url("", one)  # noqa: SLF001 -- likewise
        if found is not None:
            api, *where = found
            stage, rest = ministack._resolve_stage_and_path(api, *where)  # noqa: SLF001 -- likewise
            kind = ministack._execute_api_authorization_type(api, stage, method, rest)  # noqa: SLF001 -- likewise
            if kind == "AWS_IAM":
                return True
    return False
