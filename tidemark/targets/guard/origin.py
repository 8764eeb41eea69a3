"""Where a request says it comes from: a web page, or somebody on this machine."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tidemark.api.exchange import is_loopback

if TYPE_CHECKING:
    from collections.abc import Mapping

# A page of another site, or one inside a sandbox; `same-site` may be another port's page, whose
# Origin then says so, and `none` is a person's own address bar.
_FOREIGN_SITES = {"cross-site"}


def foreign(headers: Mapping[str, str]) -> str | None:
    """Why a request is not one of this machine's own programs or pages; ``None`` if it is.

    The Host keeps names out that a stranger points at loopback (DNS rebinding), the Origin and
    the fetch metadata what a page of the web sends from the developer's own browser
    (https://www.w3.org/TR/fetch-metadata/).

    Args:
        headers: The request's headers, their names in lower case.
    """
    host = headers.get("host", "")
    if not _is_of_loopback(f"http://{host}"):
        return f"the host {host!r} is not this machine's loopback"
    origin = headers.get("origin")
    if origin is not None and not _is_of_this_machine(origin):
        return f"the page {origin!r} is not of this machine"
    if origin is None and headers.get("sec-fetch-site") in _FOREIGN_SITES:
        return "a page of another site sent it"
    return None


def _is_of_this_machine(origin: str) -> bool:
    return origin.startswith(("http://", "https://")) and _is_of_loopback(origin)


def _is_of_loopback(url: str) -> bool:
    """Whether a URL's host is loopback: an address, or a name that is nobody's to give away.

    Names under `.localhost` are loopback by RFC 6761, 6.3; buckets and APIs have such.
    """
    try:
        split = urlsplit(url)
    except ValueError:
        return False
    host = split.hostname or ""
    is_one_host = re.fullmatch(r"[\w.:\[\]-]+", split.netloc) and not split.path
    return bool(is_one_host) and (host.endswith(".localhost") or is_loopback(url))
