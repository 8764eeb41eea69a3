"""What of a request may be shown: a list of what is no secret, for of secrets no list is whole."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

HIDDEN = "…"

_HEADERS = {
    "accept",
    "allow",
    "cache-control",
    "content-length",
    "content-type",
    "date",
    "etag",
    "host",
    "idempotency-key",
    "idempotency-replayed",
    "if-match",
    "retry-after",
    "server",
    "user-agent",
    "x-amz-apigw-id",
    "x-amz-date",
    "x-amzn-errortype",
    "x-amzn-requestid",
    "x-amzn-trace-id",
}
_PARAMETERS = {"cursor", "limit", "min_version", "wait_ms"}
# `ada:secret@host` has no scheme, whatever a parser makes of it.
_SCHEME = re.compile(r"\s*(?:[a-zA-Z][a-zA-Z0-9+.-]*:(?=//)|https?:)?[/\\]*")
# The sign before a host, and what programs take for it or people write by mistake.
_AT = re.compile("[@\uff20\ufe6b]")
_ENCODED_AT = re.compile(r"^[^/\\?#]*%40", re.IGNORECASE)


def shown_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Those headers that tell nothing that proves who sent them."""
    return {name: value for name, value in headers.items() if name.lower() in _HEADERS}


def shown_url(url: str) -> str:
    """A URL, or what was given for one, without user, password, fragment or unknown parameters.

    All that is before the last ``@`` is hidden, wherever that is: programs differ in where they
    see a host begin.
    """
    start = _SCHEME.match(url)
    scheme = start[0] if start else ""
    *before, rest = _AT.split(url[len(scheme) :])
    is_hidden = bool(before) or _ENCODED_AT.match(rest) is not None
    rest, hash_sign, _ = _ENCODED_AT.sub("", rest).partition("#")
    path, mark, query = rest.partition("?")
    parameters = "&".join(_shown_parameter(one) for one in query.split("&"))
    return "".join(
        (scheme, f"{HIDDEN}@" if is_hidden else "", path, mark, parameters, hash_sign and "#…")
    )


def secrets_of(url: str, headers: Mapping[str, str]) -> list[str]:
    """The values in a request that are not shown, in case that an answer repeats them."""
    hidden = [value for name, value in headers.items() if name.lower() not in _HEADERS]
    for pair in url.partition("?")[2].split("&"):
        name, _, value = pair.partition("=")
        if name not in _PARAMETERS:
            hidden.append(value)
    # A shorter one would take half of the words with it.
    return sorted((one for one in hidden if len(one) > 3), key=len, reverse=True)


def _shown_parameter(pair: str) -> str:
    name, is_pair, _ = pair.partition("=")
    if name in _PARAMETERS or not pair:
        return pair
    return f"{name}={HIDDEN}" if is_pair else HIDDEN
