"""A connection that is kept, and what is read from it: geventhttpclient's sockets and parser."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gevent  # type: ignore[import-untyped]  # it ships no types
from gevent.monkey import get_original  # type: ignore[import-untyped]  # likewise
from geventhttpclient._parser import HTTPResponseParser
from geventhttpclient.response import HTTPConnectionClosed

from tidemark.api.exchange import Answer, Headers

if TYPE_CHECKING:
    from geventhttpclient.connectionpool import ConnectionPool

_BLOCK_BYTES = 16_384
_FINAL = 200
# gevent's own would first let every other user go on.
_select = get_original("select", "select")


class Line:
    """One connection to one place, made anew when it is not there any more.

    Args:
        host: What the place is called in a request.
        pool: Where connections to it come from.
    """

    def __init__(self, host: str, pool: ConnectionPool) -> None:
        self.host = host
        self._pool = pool
        self._socket: Any = None

    def connect(self) -> None:
        """See that there is a connection.

        Raises:
            OSError: None can be made.
        """
        # What has something to say before it is asked has closed, or is out of step.
        if self._socket is not None and _select([self._socket], [], [], 0)[0]:
            self._drop()
        if self._socket is None:
            self._socket = self._pool.get_socket()

    def exchange(self, method: str, request: bytes) -> Answer:
        """Send a request, and read the whole answer.

        Raises:
            OSError: The connection broke, or nothing came for too long.
            HTTPParseError: It ended too soon, or what came is no HTTP.
        """
        reading = Reading(method)
        try:
            self._socket.sendall(request)
            # Others go on meanwhile; to find the answer there is cheaper than to wait for it.
            gevent.sleep(0)
            self._read(reading)
        except BaseException:
            self._drop()
            raise
        if not reading.should_keep_alive():
            self._drop()
        headers = Headers(zip(reading.names, reading.values, strict=True))
        return Answer(reading.get_code(), headers, reading.body)

    def _read(self, reading: Reading) -> None:
        while not reading.is_whole:
            block = self._socket.recv(_BLOCK_BYTES)
            reading.feed(block)
            if not block and not reading.is_whole:
                raise HTTPConnectionClosed("closed without an answer")

    def _drop(self) -> None:
        self._pool.release_socket(self._socket)
        self._socket = None


class Reading(HTTPResponseParser):
    """An answer while it is read; the parser calls what begins with `_on`."""

    def __init__(self, method: str) -> None:
        super().__init__()
        self._has_no_body = method == "HEAD"
        self._on_message_begin()

    def _on_message_begin(self) -> None:
        self.names: list[str] = []
        self.values: list[str] = []
        self.body = b""
        self.is_whole = False
        self._is_name = False

    def _on_status(self, _: str) -> None:
        """Let the words of a status be."""

    def _on_header_field(self, part: str) -> None:
        if self._is_name:
            self.names[-1] += part
        else:
            self.names.append(part)
            self.values.append("")
            self._is_name = True

    def _on_header_value(self, part: str) -> None:
        self.values[-1] += part
        self._is_name = False

    def _on_headers_complete(self) -> bool:
        return self._has_no_body

    def _on_body(self, part: bytes) -> None:
        self.body += bytes(part)

    def _on_message_complete(self) -> None:
        # What is below announces an answer.
        self.is_whole = self.get_code() >= _FINAL
