"""Requests and their answers, written down while a session runs; what proves who sent stays out."""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from tidemark.api.exchange import Answer, Request, Transport

MOST_OF_A_BODY_BYTES = 16_384
"""Where a written body ends."""

_SECRET = {
    "authorization",
    "cookie",
    "proxy-authorization",
    "set-cookie",
    "x-amz-security-token",
}


class Sent(Protocol):
    """What is written down of a request, whichever library sends it."""

    @property
    def method(self) -> str:
        """The HTTP method."""

    @property
    def url(self) -> str:
        """The exact URL."""

    @property
    def headers(self) -> Mapping[str, str]:
        """Its headers."""

    @property
    def body(self) -> bytes:
        """The bytes of the body, empty for none."""


@dataclass(frozen=True)
class Exchanges:
    """A file to which exchanges are appended.

    One line of JSON for each, with the test that sent it. Lines of several threads and processes
    do not mix.

    Attributes:
        path: The file, which need not exist.
        clock: UTC in nanoseconds.
    """

    path: Path
    clock: Callable[[], int] = time.time_ns

    def passed(self, sent: Sent, send: Callable[[], Answer]) -> Answer:
        """Send a request, and write it down with its answer, or with why there is none."""
        begun_ns = self.clock()
        try:
            answer = send()
        except Exception as error:
            self._write(sent, begun_ns, {"error": f"{type(error).__name__}: {error}"})
            raise
        secrets = [value for name, value in sent.headers.items() if name.lower() in _SECRET]
        answered = {
            "status": answer.status,
            "headers": _shown(answer.headers),
            # A gateway that refuses a signature answers with what it would have signed.
            "body": _without(secrets, _text(answer.body)),
        }
        self._write(sent, begun_ns, {"answer": answered})
        return answer

    def _write(self, sent: Sent, begun_ns: int, outcome: dict[str, Any]) -> None:
        line = {
            "at_ms": begun_ns // 1_000_000,
            "took_ms": round((self.clock() - begun_ns) / 1e6, 3),
            "test": os.environ.get("PYTEST_CURRENT_TEST"),
            "method": sent.method,
            "url": sent.url,
            "headers": _shown(sent.headers),
            "body": _text(sent.body),
            **outcome,
        }
        self.path.parent.mkdir(parents=True, exist_ok=True)
        # Unbuffered: one write a line, which the system appends as a whole.
        with self.path.open("ab", buffering=0) as file:
            file.write(f"{json.dumps(line)}\n".encode())


@dataclass(frozen=True)
class Recorder:
    """A transport that passes requests on to another, and writes down each exchange.

    Attributes:
        transport: What sends the requests.
        exchanges: Where they are written down.
    """

    transport: Transport
    exchanges: Exchanges

    def __call__(self, request: Request) -> Answer:
        """Send one request; see `tidemark.api.exchange.Transport`."""
        return self.exchanges.passed(request, lambda: self.transport(request))


def _shown(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower() not in _SECRET}


def _text(body: bytes) -> str:
    text = body[:MOST_OF_A_BODY_BYTES].decode(errors="replace")
    left_out = len(body) - MOST_OF_A_BODY_BYTES
    return text if left_out <= 0 else f"{text}… ({left_out} bytes more)"


def _without(secrets: Iterable[str], text: str) -> str:
    for secret in secrets:
        text = text.replace(secret, "…")
    return text
