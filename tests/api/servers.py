"""Small HTTP servers on loopback, for what only a real connection can show."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from tidemark.api.exchange import Answer, Headers, Request

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator


@contextmanager
def served(answer: Callable[[Request], Answer], tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """Serve a function of requests, by TLS where there is a context; yields the base URL.

    The `url` of each request is the target as it arrived, not decoded and without a host.
    """

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            headers = Headers(dict(self.headers.items()))
            answered = answer(Request(self.command, self.path, headers, body))
            self.send_response(answered.status)
            for name, value in answered.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(answered.body)))
            with suppress(ConnectionError):  # of who did not wait for the answer
                self.end_headers()
                self.wfile.write(answered.body)

        do_DELETE = do_GET = do_POST = _serve  # noqa: N815 -- the names that http.server calls

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            scheme = "http" if tls is None else "https"
            yield f"{scheme}://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def bare_socket(handle: Callable[[socket.socket], None]) -> Iterator[tuple[str, list[int]]]:
    """Accept connections and hand each to a function; yields the base URL and their count."""
    accepted = [0]
    stopping = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            while True:
                connection, _ = listener.accept()
                if stopping.is_set():
                    connection.close()
                    return
                accepted[0] += 1
                with connection:
                    handle(connection)

        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}", accepted
        finally:
            stopping.set()
            socket.create_connection(listener.getsockname()).close()
            thread.join()


def dead_url() -> str:
    """Return a URL of a loopback port that nothing listens on."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{unused.getsockname()[1]}"
