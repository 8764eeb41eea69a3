"""A transport of few steps, on gevent; every call is timed in Locust's own statistics."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from locust.exception import CatchResponseError

from loadtest.line import UNREADABLE, Line
from tidemark.api.exchange import Answer, LostError, NotSentError, Request, TransportError
from tidemark.api.httpx_transport import TIMEOUT_S
from tidemark.api.op import Outcome, judge, problem_name

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from locust.event import EventHook

# What a URL need not say.
_PORT = {"http": ":80", "https": ":443"}


class LocustTransport:
    """Sends one session's requests, each once, over a connection that is kept.

    A call is one row's success or failure in Locust's statistics: what the system refuses as it
    should is a success, whatever else is not done a failure. Locust's own client does the same
    in twice the time, most of it for what an API never needs: cookies, redirects, forms.

    Args:
        on_request: Locust's event of a request that is over.
        refusals: The problems by which the system refuses as it should.
        tls: Makes what certificates are verified by.
        timeout_s: How long to wait between two parts of an answer.
    """

    def __init__(
        self,
        on_request: EventHook,
        refusals: frozenset[str],
        tls: Callable[[], ssl.SSLContext],
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self._on_request = on_request
        self._refusals = refusals
        self._tls = tls
        self._timeout_s = timeout_s
        self._lines: dict[tuple[str, str], Line] = {}

    def __call__(self, request: Request) -> Answer:
        """Send one request, once.

        Raises:
            NotSentError: If no connection was made.
            LostError: If one was made and no complete answer came.
        """
        begin_s = time.time(), time.perf_counter()
        try:
            answer = self._exchanged(request)
        except TransportError as error:
            self._tell(request, error, *begin_s)
            raise
        self._tell(request, answer, *begin_s)
        return answer

    def _tell(
        self, request: Request, result: Answer | TransportError, start_time: float, begin_s: float
    ) -> None:
        """Have Locust count a call that is over.

        Args:
            request: What was sent.
            result: What came of it.
            start_time: When it began, in seconds since 1970.
            begin_s: The same by the clock that durations are measured with.
        """
        answer = result if isinstance(result, Answer) else None
        self._on_request.fire(  # type: ignore[no-untyped-call]  # Locust has no types there
            request_type=request.method,
            name=request.route.partition(" ")[2],
            response_time=(time.perf_counter() - begin_s) * 1000,
            response_length=len(answer.body) if answer else 0,
            response=answer,
            context={},
            exception=self._failure(result),
            start_time=start_time,
            url=request.url,
        )

    def _exchanged(self, request: Request) -> Answer:
        scheme, _, rest = request.url.partition("://")
        host, _, target = rest.partition("/")
        try:
            line = self._lines.get((scheme, host)) or self._line(scheme, host)
            line.connect()
        except OSError as error:
            raise NotSentError(_reason(error)) from error
        try:
            return line.exchange(_bytes_of(request, line.host, target))
        except (OSError, *UNREADABLE) as error:
            raise LostError(_reason(error)) from error

    def _line(self, scheme: str, host: str) -> Line:
        parts = urlsplit(f"{scheme}://{host}")
        default = _PORT[scheme]
        place = parts.hostname or "", parts.port or int(default[1:])
        tls = self._tls if scheme == "https" else None
        line = self._lines[scheme, host] = Line(
            host.removesuffix(default), place, self._timeout_s, tls
        )
        return line

    def _failure(self, result: Answer | TransportError) -> CatchResponseError | None:
        judged = judge(result)
        if judged.outcome is Outcome.OK:
            return None
        problem = problem_name(judged.problem_type)
        if judged.outcome is Outcome.FAIL and problem in self._refusals:
            return None
        return CatchResponseError(f"{judged.outcome} {problem}")


def _bytes_of(request: Request, host: str, target: str) -> bytes:
    lines = [f"{request.method} /{target} HTTP/1.1", f"Host: {host}", "User-Agent: tidemark"]
    lines += [f"{name}: {value}" for name, value in request.headers.lowered.values()]
    if request.body or request.method == "POST":
        lines.append(f"Content-Length: {len(request.body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + request.body


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
