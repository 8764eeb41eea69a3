"""Sends one POST per URL with Locust's client and prints what the transport made of it.

A program of its own, because importing Locust patches the standard library of its process.
"""

from __future__ import annotations

import locust  # isort: skip  # noqa: F401 -- before all else: it patches what they import
import json
import ssl
import sys

from locust.event import EventHook

from loadtest.transport import LocustTransport
from tidemark.api.exchange import Headers, Request, TransportError


def main() -> None:
    """Print one JSON line per URL on the command line."""
    rows: list[dict[str, object]] = []
    hook = EventHook()  # type: ignore[no-untyped-call]  # Locust has no types there
    hook.add_listener(lambda **row: rows.append(row))  # type: ignore[no-untyped-call]  # likewise
    transport = LocustTransport(
        hook, frozenset({"busy"}), ssl.create_default_context, timeout_s=1.0
    )
    for url in sys.argv[1:]:
        rows.clear()
        request = Request("POST", url, Headers({"x-y": "z"}), b"in", route="POST /a/{id}")
        said: dict[str, object]
        try:
            answer = transport(request)
            said = {"status": answer.status, "headers": dict(answer.headers)}
            said["body"] = answer.body.decode()
        except TransportError as error:
            said = {"error": type(error).__name__}
        said["rows"] = [
            [row["request_type"], row["name"], row["exception"] is None] for row in rows
        ]
        print(json.dumps(said))  # noqa: T201 -- printing is what this program is for


if __name__ == "__main__":
    main()
