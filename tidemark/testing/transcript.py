"""Requests and their answers, written down while a session runs; what proves who sent stays out."""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tidemark.api.shown import HIDDEN, secrets_of, shown_headers, shown_url

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from tidemark.api.exchange import Answer, Request, Transport

MOST_OF_A_BODY_BYTES = 16_384
"""Where a written body ends."""


@dataclass(frozen=True)
class Transcript:
    """A file in which requests and their answers are written down.

    One line of JSON for each, with the test that sent it. Lines of several threads and processes
    do not mix.

    Attributes:
        path: The file, which need not exist.
        clock: UTC in nanoseconds.
    """

    path: Path
    clock: Callable[[], int] = time.time_ns

    def of(self, transport: Transport) -> Transport:
        """A transport that sends with another one, and has each exchange written down."""

        def send(request: Request) -> Answer:
            begun_ns = self.clock()
            secrets = secrets_of(request.url, request.headers)
            try:
                answer = transport(request)
            except Exception as error:
                said = _without(secrets, f"{type(error).__name__}: {error}")
                self._write(request, begun_ns, {"error": said})
                raise
            answered = {
                "status": answer.status,
                "headers": shown_headers(answer.headers),
                # A gateway that refuses a signature answers with what it would have signed.
                "body": _without(secrets, _text(answer.body)),
            }
            self._write(request, begun_ns, {"answer": answered})
            return answer

        return send

    def _write(self, request: Request, begun_ns: int, outcome: dict[str, Any]) -> None:
        line = {
            "at_ms": begun_ns // 1_000_000,
            "took_ms": round((self.clock() - begun_ns) / 1e6, 3),
            "test": os.environ.get("PYTEST_CURRENT_TEST"),
            "method": request.method,
            "url": shown_url(request.url),
            "headers": shown_headers(request.headers),
            "body": _text(request.body),
            **outcome,
        }
        self.path.parent.mkdir(parents=True, exist_ok=True)
        # Unbuffered: one write a line, which the system appends as a whole.
        with self.path.open("ab", buffering=0) as file:
            file.write(f"{json.dumps(line)}\n".encode())


def _text(body: bytes) -> str:
    text = body[:MOST_OF_A_BODY_BYTES].decode(errors="replace")
    left_out = len(body) - MOST_OF_A_BODY_BYTES
    return text if left_out <= 0 else f"{text}… ({left_out} bytes more)"


def _without(secrets: Iterable[str], text: str) -> str:
    for secret in secrets:
        text = text.replace(secret, HIDDEN)
    return text
