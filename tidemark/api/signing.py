"""URLs that are encoded canonically, and requests signed for them (AWS Signature Version 4).

The signature is made here and not by botocore, because a load generator signs every request: the
key of a day and the text of a second are made once, and nothing is logged on the way. It is that
of https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html.
"""

from __future__ import annotations

import hmac
import re
import time
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING
from urllib.parse import quote

from botocore.utils import normalize_url_path

from tidemark.api.exchange import Headers, Request

if TYPE_CHECKING:
    from collections.abc import Mapping

    from botocore.credentials import Credentials

SERVICE = "execute-api"
# What may change on the way, and what an earlier signature brought.
_UNSIGNED = frozenset({"expect", "transfer-encoding", "user-agent", "x-amzn-trace-id"})
_OF_A_SIGNATURE = frozenset({"authorization", "x-amz-date", "x-amz-security-token"})

_HASH_OF_NOTHING = sha256(b"").hexdigest()
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
    filled = _filled(template, tuple((path or {}).items()))
    pairs = [
        f"{encoded(name)}={encoded(str(value))}"
        for name, value in (query or {}).items()
        if value is not None
    ]
    return f"{api_url}{filled}" + (f"?{'&'.join(pairs)}" if pairs else "")


@lru_cache(maxsize=4096)
def _filled(template: str, path: tuple[tuple[str, str], ...]) -> str:
    values = dict(path)
    return _PLACEHOLDER.sub(lambda match: _segment(values[match[1]]), template)


def sign(
    request: Request, *, credentials: Credentials, region: str, at_s: float | None = None
) -> Request:
    """Return the request with the headers that SigV4 adds for exactly this URL and body.

    Args:
        request: A request whose URL `build_url` made, or that is encoded likewise.
        credentials: botocore's; refreshable ones are read once per request.
        region: The region of the API.
        at_s: When it is signed, in seconds since 1970; now if unsaid.
    """
    frozen = credentials.get_frozen_credentials()
    stamp, scope = _moment(int(time.time() if at_s is None else at_s), region)
    sent = [pair for name, pair in request.headers.lowered.items() if name not in _OF_A_SIGNATURE]
    sent.append(("X-Amz-Date", stamp))
    if frozen.token:
        sent.append(("X-Amz-Security-Token", frozen.token))
    host, path, query = _parts(request.url)
    signed = {"host": host} | {name.lower(): value for name, value in sent}
    names = sorted([name for name in signed if name not in _UNSIGNED])
    lines = "".join([f"{name}:{' '.join(signed[name].split())}\n" for name in names])
    listed = ";".join(names)
    hashed = sha256(request.body).hexdigest() if request.body else _HASH_OF_NOTHING
    canonical = f"{request.method}\n{path}\n{query}\n{lines}\n{listed}\n{hashed}"
    text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{sha256(canonical.encode()).hexdigest()}"
    signature = _key_of_the_day(frozen.secret_key, stamp[:8], region).copy()
    signature.update(text.encode())
    authorization = (
        f"AWS4-HMAC-SHA256 Credential={frozen.access_key}/{scope}, "
        f"SignedHeaders={listed}, Signature={signature.hexdigest()}"
    )
    sent.append(("Authorization", authorization))
    return Request(request.method, request.url, Headers(sent), request.body, request.route)


@lru_cache(maxsize=4096)
def _parts(url: str) -> tuple[str, str, str]:
    """Return the host as it is sent, and path and query as they are signed."""
    scheme, _, rest = url.partition("://")
    before, _, query = rest.partition("?")
    host, _, path = before.partition("/")
    if "//" in path or "/." in path or path.startswith("."):
        path = normalize_url_path(f"/{path}")[1:]
    default = ":443" if scheme == "https" else ":80"
    if "&" in query or (query and "=" not in query):
        pairs = [pair.partition("=") for pair in query.split("&")]
        query = "&".join(f"{name}={value}" for name, _, value in sorted(pairs))
    return host.removesuffix(default), quote(f"/{path}", safe="/~"), query


@lru_cache(maxsize=4)
def _moment(second: int, region: str) -> tuple[str, str]:
    """Return how an instant is written, and the scope of what is signed then."""
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(second))
    return stamp, f"{stamp[:8]}/{region}/{SERVICE}/aws4_request"


@lru_cache(maxsize=16)
def _key_of_the_day(secret_key: str, day: str, region: str) -> hmac.HMAC:
    """Return what signs after it is copied: to begin anew takes longer than to sign."""
    key = f"AWS4{secret_key}".encode()
    for part in (day, region, SERVICE, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.new(key, digestmod="sha256")
