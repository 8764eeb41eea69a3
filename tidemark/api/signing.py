"""URLs that are encoded canonically, and requests signed for them (AWS Signature Version 4)."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import quote

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

from tidemark.api.exchange import Headers, Request

if TYPE_CHECKING:
    from collections.abc import Mapping

    from botocore.credentials import Credentials

SERVICE = "execute-api"

_PLACEHOLDER = re.compile(r"\{(\w+)\}")


def encoded(text: str) -> str:
    """Encode everything but RFC 3986's unreserved characters, as SigV4 wants it."""
    return quote(text, safe="-_.~")


def _segment(text: str) -> str:
    # Clients resolve "." and ".." before they send; their encoded form arrives as it is.
    return text.replace(".", "%2E") if text in {".", ".."} else encoded(text)


def build_url(
    api_url: str,
    template: str,
    path: Mapping[str, str] | None = None,
    query: Mapping[str, str | int | None] | None = None,
) -> str:
    """Fill a path template and append a query, both encoded so that they sign as they are sent.

    Args:
        api_url: Where the API is, without a trailing slash.
        template: A path with names in braces, such as `/accounts/{id}`.
        path: The value of each name, as the caller knows it (not encoded).
        query: The parameters, in the order to send them; those that are None are left out.

    Raises:
        KeyError: If the template names what `path` does not have.
    """
    values = path or {}
    filled = _PLACEHOLDER.sub(lambda match: _segment(values[match[1]]), template)
    pairs = [
        f"{encoded(name)}={encoded(str(value))}"
        for name, value in (query or {}).items()
        if value is not None
    ]
    return f"{api_url}{filled}" + (f"?{'&'.join(pairs)}" if pairs else "")


def sign(request: Request, *, credentials: Credentials, region: str) -> Request:
    """Return the request with the headers that SigV4 adds for exactly this URL and body.

    Args:
        request: A request whose URL `build_url` made, or that is encoded likewise.
        credentials: botocore's; refreshable ones are read once per request.
        region: The region of the API.
    """
    aws_request = AWSRequest(
        method=request.method, url=request.url, data=request.body, headers=dict(request.headers)
    )
    frozen = credentials.get_frozen_credentials()
    SigV4Auth(frozen, SERVICE, region).add_auth(aws_request)
    return replace(request, headers=Headers(dict(aws_request.headers.items())))
