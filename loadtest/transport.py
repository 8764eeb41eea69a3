"""Locust's client as the transport: every call is timed in Locust's own statistics."""

from __future__ import annotations

import socket
import ssl
from typing import TYPE_CHECKING

from tidemark.api.exchange import Answer, Headers, LostError, NotSentError, Request, TransportError
from tidemark.api.op import Outcome, judge, problem_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from locust.contrib.fasthttp import FastHttpSession, ResponseContextManager


def locust_transport(
    http: FastHttpSession, refusals: frozenset[str]
) -> Callable[[Request], Answer]:
    """Return a transport over a Locust user's client.

    A call is one row's success or failure there: what the system refuses as it should is a
    success, whatever else is not done a failure. The client sends a POST once; a GET it may
    send again when a kept connection turns out closed.

    Args:
        http: The user's client.
        refusals: The problems by which the system refuses as it should.
    """

    def send(request: Request) -> Answer:
        with http.request(
            request.method,
            request.url,
            name=request.route.partition(" ")[2],
            data=request.body,  # type: ignore[arg-type]  # bytes work, its annotation is narrower
            headers=dict(request.headers),
            catch_response=True,
            allow_redirects=False,
        ) as response:
            result = _result(response)
            judged = judge(result)
            problem = problem_name(judged.problem_type)
            if judged.outcome is Outcome.OK or (
                judged.outcome is Outcome.FAIL and problem in refusals
            ):
                response.success()
            else:
                response.failure(f"{judged.outcome} {problem}")
        if isinstance(result, TransportError):
            raise result
        return result

    return send


def _result(response: ResponseContextManager) -> Answer | TransportError:
    error = getattr(response, "error", None)
    if not response.status_code:
        is_unsent = isinstance(error, ConnectionRefusedError | socket.gaierror | ssl.SSLError)
        return (NotSentError if is_unsent else LostError)(_reason(error))
    # An error that is not the response's own (a bad status) is that of reading its body, of
    # which `content` has what came before.
    cut_off = response.request_meta["exception"]
    if cut_off is not None and cut_off is not error:
        return LostError(_reason(cut_off))
    headers = dict((response.headers or {}).items())
    return Answer(response.status_code, Headers(headers), bytes(response.content or b""))


def _reason(error: Exception | None) -> str:
    return f"{type(error).__name__}: {error}"
