"""One HTTP exchange without I/O: a request, its answer, and how sending can go wrong."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import msgspec

from tidemark.api.shown import HIDDEN, shown_headers

_decode = msgspec.json.Decoder().decode
_CONTROL_CHARACTER = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


class Headers(Mapping[str, str]):
    """HTTP headers, looked up whatever the case of the name, and sent as they are spelled.

    Targets differ in the case they send, so no name is ever compared literally. Not every target
    is as lenient: LocalStack looks for a required header as the API definition spells it.
    """

    def __init__(self, headers: Mapping[str, str] | Iterable[tuple[str, str]] = ()) -> None:
        # Whether it is a mapping would take five times as long to find out.
        pairs = headers if isinstance(headers, list) else dict(headers).items()
        self._entries = {pair[0].lower(): pair for pair in pairs}

    @property
    def lowered(self) -> Mapping[str, tuple[str, str]]:
        """Each name as it is spelled, and its value, by the name in lower case."""
        return self._entries

    def get(self, name: str, default: Any = None) -> Any:
        """Return the value of a header, or the default if it is not there."""
        pair = self._entries.get(name.lower())
        return default if pair is None else pair[1]

    def __getitem__(self, name: str) -> str:
        return self._entries[name.lower()][1]

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in self._entries.values())

    def __len__(self) -> int:
        return len(self._entries)

    def __repr__(self) -> str:
        shown = shown_headers(self)
        return f"Headers({ {name: shown.get(name, HIDDEN) for name in self} })"


class Request(msgspec.Struct, frozen=True):
    """A request as it goes over the wire.

    Attributes:
        method: The HTTP method, in upper case.
        url: The exact URL, every reserved character of its segments and values encoded.
        headers: What is sent besides what the transport adds (host, length).
        body: The bytes of the body, empty for none.
        route: The method and path template, one constant name per operation.
    """

    method: str
    url: str
    headers: Headers = msgspec.field(default_factory=Headers)
    body: bytes = b""
    route: str = ""

    def __post_init__(self) -> None:
        for name, value in self.headers.lowered.values():
            if not value.isprintable() and _CONTROL_CHARACTER.search(value):
                raise ValueError(
                    f"The header {name} has a control character; HTTP cannot carry it."
                )


@dataclass(frozen=True)
class Answer:
    """What came back: a status, headers and a complete body.

    Attributes:
        status: The HTTP status.
        headers: Its headers.
        body: Its bytes, empty for none.
        members: The body as a JSON object, or None if it is anything else.
    """

    status: int
    headers: Headers = field(default_factory=Headers)
    body: bytes = b""
    members: Mapping[str, Any] | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # At once, as each is asked for it: what is made when it is asked for takes a lock.
        try:
            decoded = _decode(self.body)
        except ValueError:
            decoded = None
        members = decoded if isinstance(decoded, dict) else None
        object.__setattr__(self, "members", members)


class TransportError(Exception):
    """No complete answer came."""


class NotSentError(TransportError):
    """The request never left: refused, unresolved, no TLS. It is certainly not done."""


class LostError(TransportError):
    """The request left and no complete answer came back. It may have been done."""


Transport = Callable[[Request], Answer]
"""Sends one request and returns its answer, or raises `NotSentError` or `LostError`.

A transport never follows a redirect and never sends a request twice.
"""


def is_loopback(url: str) -> bool:
    """Tell whether a URL names this machine by a loopback address or as localhost."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
