"""Where a request says it comes from: a web page, or somebody on this machine."""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tidemark.api.exchange import is_loopback

if TYPE_CHECKING:
    from collections.abc import Mapping

# A page of another site, or one inside a sandbox; `same-site` may be another port's page, whose
# Origin then says so, and `none` is a person's own address bar.
_FOREIGN_SITES = {"cross-site"}


def foreign(headers: Mapping[str, str], *, listens_beyond: bool = False) -> str | None:
    """Why a request is not one of this machine's own programs or pages; ``None`` if it is.

    The Host keeps names out that a stranger points at loopback (DNS rebinding), the Origin and
    the fetch metadata what a page of the web sends from the developer's own browser
    (https://www.w3.org/TR/fetch-metadata/).

    Args:
        headers: The request's headers, their names in lower case.
        listens_beyond: Whether somebody had it listen to other machines. Then an address will do
            for a host, for which nobody can give a page's name.
    """
    host = headers.get("host", "")
    is_at_an_address = listens_beyond and _is_address(host)
    if not (is_at_an_address or _is_of_loopback(f"http://{host}")):
        return f"the host {host!r} is not this machine's loopback"
    origin = headers.get("origin")
    is_its_own = is_at_an_address and origin == f"http://{host}"
    if origin is not None and not (is_its_own or _is_of_this_machine(origin)):
        return f"the page {origin!r} is not of this machine"
    if origin is None and headers.get("sec-fetch-site") in _FOREIGN_SITES:
        return "a page of another site sent it"
    return None


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(urlsplit(f"http://{host}").hostname or "")
    except ValueError:
        return False
    return True


def _is_of_this_machine(origin: str) -> bool:
    return origin.startswith(("http://", "https://")) and _is_of_loopback(origin)


@lru_cache(maxsize=256)
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
