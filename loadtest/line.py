"""A connection that is kept, and what is read from it.

gevent's sockets make a timer and more for each wait, and try in vain before it. A load generator
waits for each of its calls: so here is a socket of the system, and gevent's loop says when.
"""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any

from gevent import get_hub, getcurrent  # type: ignore[import-untyped]  # it ships no types
from gevent.monkey import get_original  # type: ignore[import-untyped]  # likewise
from gevent.socket import create_connection  # type: ignore[import-untyped]  # likewise
from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from tidemark.api.exchange import Answer, Headers

if TYPE_CHECKING:
    from collections.abc import Callable

UNREADABLE = (HttpParserError, HttpParserUpgrade)
"""What is raised where an answer is no HTTP, or goes on as something else."""

_CONNECTED_WITHIN_S = 5.0
_BLOCK_BYTES = 65_536
_FINAL = 200
# What states neither ends with its connection.
_LENGTHS = frozenset({"content-length", "transfer-encoding"})
_READABLE, _WRITABLE = 1, 2
# What gevent does to them is done here.
_system_socket = get_original("socket", "socket")
_poll = get_original("select", "poll")


class Line:
    """One connection to one place, made anew when it is not there any more.

    Args:
        host: What the place is called in a request.
        place: Its name, and its port.
        timeout_s: How long to wait between two parts of an answer.
        tls: Makes what its certificate is verified by; None of a place that has none.
    """

    def __init__(
        self,
        host: str,
        place: tuple[str, int],
        timeout_s: float,
        tls: Callable[[], ssl.SSLContext] | None = None,
    ) -> None:
        self.host = host
        self._place = place
        self._timeout_s = timeout_s
        self._tls = tls
        self._socket: Any = None

    def connect(self) -> None:
        """See that there is a connection.

        Raises:
            OSError: None can be made.
        """
        # What has something to say before it is asked has closed, or is out of step.
        if self._socket is not None and self._said.poll(0):
            self._drop()
        if self._socket is None:
            self._open()

    def exchange(self, request: bytes) -> Answer:
        """Send a request, and read the whole answer.

        Raises:
            OSError: The connection broke or ended too soon, or nothing came for too long.
            HttpParserError: What came is no HTTP; likewise the others of `UNREADABLE`.
        """
        reading = self._reading
        try:
            reading.begin()
            self._send(request)
            self._wait_until(self._readable)
            while not reading.is_whole:
                reading.feed(self._received())
        except BaseException:
            self._drop()
            raise
        if not reading.is_kept:
            self._drop()
        return Answer(reading.status, Headers(reading.fields), reading.body)

    def _send(self, request: bytes) -> None:
        while request:
            try:
                request = request[self._socket.send(request) :]
            except (BlockingIOError, ssl.SSLWantWriteError):
                self._wait_until(self._writable)

    def _received(self) -> bytes:
        while True:
            try:
                block: bytes = self._socket.recv(_BLOCK_BYTES)
            except (BlockingIOError, ssl.SSLWantReadError):
                self._wait_until(self._readable)
            else:
                return block

    def _wait_until(self, ready: Any) -> None:
        current = getcurrent()
        ready.start(current.switch)
        # Started again, a timer goes on where it was stopped; this begins anew.
        self._patience.again(current.throw, TimeoutError, self._impatience)
        try:
            # Whoever else wakes it up does so in vain: it tries, and waits on.
            get_hub().switch()
        finally:
            ready.stop()
            self._patience.stop()

    def _open(self) -> None:
        connection = create_connection(self._place, _CONNECTED_WITHIN_S)
        try:
            if self._tls is None:
                connection = _system_socket(fileno=connection.detach())
            else:
                connection = self._tls().wrap_socket(connection, server_hostname=self._place[0])
            connection.settimeout(0)
        except BaseException:
            connection.close()
            raise
        self._socket = connection
        self._reading = Reading()
        self._said = _poll()
        self._said.register(connection, _READABLE)
        loop = get_hub().loop
        self._readable = loop.io(connection.fileno(), _READABLE)
        self._writable = loop.io(connection.fileno(), _WRITABLE)
        self._patience = loop.timer(0.0, self._timeout_s)
        self._impatience = f"nothing came for {self._timeout_s:g} s"

    def _drop(self) -> None:
        self._socket.close()
        self._socket = None


class Reading:
    """An answer while it is read; the parser calls what begins with `on_`.

    Attributes:
        is_whole: Whether there is all of it.
        is_kept: Whether its connection may be asked again.
        status: Its status.
        fields: Its headers.
        body: Its body.
    """

    def __init__(self) -> None:
        self._parser = HttpResponseParser(self)
        self.begin()

    def begin(self) -> None:
        """Begin with the next answer."""
        self.is_whole = self.is_kept = False
        self.status = 0
        self.fields: list[tuple[str, str]] = []
        self.body = b""

    def feed(self, block: bytes) -> None:
        """Take what has come; nothing is the end of the connection.

        Raises:
            HttpParserError: It is no HTTP, or more than an answer; likewise others of `UNREADABLE`.
            ConnectionError: It ends too soon.
        """
        if block:
            self._parser.feed_data(block)
        elif self._ends_with_the_connection:
            self.is_whole = True
        else:
            raise ConnectionError("closed before the answer was whole")

    @property
    def _ends_with_the_connection(self) -> bool:
        return self.status >= _FINAL and _LENGTHS.isdisjoint(
            name.lower() for name, _ in self.fields
        )

    def on_message_begin(self) -> None:
        """Forget what only announced an answer."""
        if self.is_whole:
            raise ConnectionError("two answers to one request")
        self.begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header."""
        self.fields.append((name.decode("latin-1"), value.decode("latin-1")))

    def on_headers_complete(self) -> None:
        """Note the status."""
        self.status = self._parser.get_status_code()

    def on_body(self, part: bytes) -> None:
        """Take a part of the body."""
        self.body += part

    def on_message_complete(self) -> None:
        """Note that it is whole, unless it only announces one."""
        self.is_whole = self.status >= _FINAL
        self.is_kept = self._parser.should_keep_alive()
