"""The fields of a request, each checked where it is read; what is wrong is named.

Not every target enforces the gateway's own validators, so nothing relies on them.
"""

import base64
import binascii
import json
import re
from collections.abc import Mapping
from typing import Any

from functions.adapters.http import MalformedError, Request

LARGEST_VERSION = 10**12 - 1
"""The largest version that fits its twelve digits in a sort key."""

ID = r"[A-Za-z0-9][A-Za-z0-9._~-]{0,127}"
"""What an account or owner id looks like."""

_ID = re.compile(ID)
_KEY = re.compile(r"[ -~]{1,255}")
_ETAG = re.compile(r'"(0|[1-9][0-9]{0,11})"')
_INTEGER = re.compile(r"0|[1-9][0-9]{0,15}")


def identifier(values: Mapping[str, Any], field: str) -> str:
    """Return an account or owner id.

    Raises:
        MalformedError: it is missing, or not 1 to 128 letters, digits, `.`, `_`, `~` or `-`.
    """
    value = values.get(field)
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise MalformedError(
            field, "must be 1 to 128 letters, digits, '.', '_', '~' or '-', a letter or digit first"
        )
    return value


def amount(values: Mapping[str, Any], *, largest: int) -> int:
    """Return an amount in minor units.

    Raises:
        MalformedError: it is missing, or not an integer from 1 to `largest`.
    """
    value = values.get("amount")
    if type(value) is not int or not 1 <= value <= largest:
        raise MalformedError("amount", f"must be an integer from 1 to {largest}")
    return value


def idempotency_key(request: Request) -> str:
    """Return the caller's id for this command.

    Raises:
        MalformedError: the header is missing, or not 1 to 255 printable ASCII characters.
    """
    value = request.headers.get("idempotency-key", "")
    if not _KEY.fullmatch(value):
        raise MalformedError("Idempotency-Key", "must be 1 to 255 printable ASCII characters")
    return value


def if_match(request: Request) -> str | None:
    """Return the ETag that the command depends on, `*` for any, or None where there is none.

    Raises:
        MalformedError: the header is neither one quoted version nor `*`.
    """
    value = request.headers.get("if-match")
    if value is not None and value != "*" and not _ETAG.fullmatch(value):
        raise MalformedError("If-Match", 'must be one quoted version, such as "3", or *')
    return value


def integer(request: Request, field: str, *, default: int, least: int, most: int) -> int:
    """Return a whole number from the query string.

    Raises:
        MalformedError: it is not a plain decimal integer from `least` to `most`.
    """
    text = request.query.get(field)
    if text is None:
        return default
    if not _INTEGER.fullmatch(text) or not least <= int(text) <= most:
        raise MalformedError(field, f"must be an integer from {least} to {most}")
    return int(text)


def body(request: Request, *, allowed: set[str]) -> dict[str, Any]:
    """Return the fields of a JSON object; an empty body has none.

    Raises:
        MalformedError: the body is no JSON object, repeats a field, or has one not in `allowed`,
            the first of which is named.
    """
    if not request.body.strip():
        return {}
    try:
        value = json.loads(
            request.body, object_pairs_hook=_without_repeats, parse_constant=_reject_constant
        )
    except (ValueError, RecursionError):
        raise MalformedError("body", "must be a JSON object that names each field once") from None
    if not isinstance(value, dict):
        raise MalformedError("body", "must be a JSON object")
    for name in value:
        if name not in allowed:
            expected = ", ".join(sorted(allowed)) or "none"
            raise MalformedError(name, f"is not a field here (fields: {expected})")
    return value


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise ValueError("a field is repeated")
    return fields


def _reject_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def cursor(request: Request, pattern: str) -> str | None:
    """Return the position in a cursor that `to_cursor` made, or None where there is none.

    Raises:
        MalformedError: it is not a cursor, or its position does not match `pattern`.
    """
    text = request.query.get("cursor")
    if text is None:
        return None
    try:
        position = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        value = position.decode("ascii")
    except (binascii.Error, ValueError):
        value = ""
    if not re.fullmatch(pattern, value) or to_cursor(value) != text:
        raise MalformedError("cursor", "is not one that this API returned")
    return value


def to_cursor(position: str) -> str:
    """Return a position as an opaque text that needs no escaping in a URL."""
    return base64.urlsafe_b64encode(position.encode()).decode().rstrip("=")
