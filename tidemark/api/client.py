"""The client of a CQRS API: sends calls, reads what comes back, and has every call recorded.

It knows commands and queries, versions, idempotency keys and read-your-writes tokens; what is
being commanded is a workload's affair (`tidemark.workloads`), and I/O its transport's.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from tidemark.api.call import Kind
from tidemark.api.exchange import Answer, LostError, TransportError
from tidemark.api.op import Op, Outcome, Purpose, judge, version_of
from tidemark.api.signing import sign
from tidemark.host.waiting import is_looking

if TYPE_CHECKING:
    from botocore.credentials import Credentials

    from tidemark.api.call import Call
    from tidemark.api.exchange import Request, Transport
    from tidemark.api.session import Session

Sink = Callable[[Op], object]
"""Takes the op of every call, when the call is over."""

_INTERRUPTED = LostError("interrupted")


@cache
def process_clock() -> Callable[[], int]:
    """Return this process's clock: UTC nanoseconds that never step back."""
    offset_ns = time.time_ns() - time.monotonic_ns()
    return lambda: time.monotonic_ns() + offset_ns


def forget(_: Op) -> None:
    """Take an op and keep nothing: the sink of calls that belong to no run."""


@dataclass(frozen=True, kw_only=True)
class Client:
    """One session of calls to an API.

    Attributes:
        api_url: Where the API is, without a trailing slash.
        region: The region that requests are signed for.
        credentials: What they are signed with; None sends them unsigned.
        transport: What sends them.
        session: Who calls.
        sink: Takes the op of every call, also of one that was interrupted.
        purpose: What its calls are sent for, unless one says otherwise.
        principal: Whom the system knows the caller as, if that is known here.
        clock: UTC in nanoseconds.
    """

    api_url: str
    region: str
    credentials: Credentials | None = field(repr=False)
    transport: Transport = field(repr=False)
    session: Session = field(repr=False)
    sink: Sink = field(repr=False)
    purpose: Purpose = Purpose.LOAD
    principal: str | None = None
    clock: Callable[[], int] = field(default_factory=process_clock, repr=False)

    def for_session(self, name: str, transport: Transport | None = None) -> Client:
        """Return a client of another session: one for each person, test or thread.

        Args:
            name: The session; asked for twice, it is the same one.
            transport: What sends its requests, if it has one of its own.
        """
        session = self.session.writer.session(name)
        return replace(self, session=session, transport=transport or self.transport)

    def run(
        self,
        call: Call,
        *,
        key: str | None = None,
        intended_ns: int | None = None,
        purpose: Purpose | None = None,
    ) -> Op:
        """Send a call, once, and say what is known about it afterwards.

        A command whose outcome is `info` may be sent again with the key of its op: the API replays
        the answer of a command that was accepted, and its effect happens once.

        Args:
            call: What is commanded or asked.
            key: The idempotency key of a command, instead of the call's own.
            intended_ns: When the call was planned, UTC nanoseconds; None for now.
            purpose: What it is sent for, if not what the client's calls are for; a query within
                :func:`~tidemark.host.waiting.eventually` is one to poll.

        Raises:
            RuntimeError: Another call of this session is under way.
        """
        if purpose is None:
            # Who asks until it is there would make any read look late.
            is_poll = call.kind is Kind.QUERY and is_looking()
            purpose = Purpose.POLL if is_poll else self.purpose
        with self.session.calling() as sequence:
            if call.kind is Kind.COMMAND:
                call = replace(call, key=key or call.key or f"{self.session.prefix}.{sequence}")
            request = call.request(self.api_url)
            result: Answer | TransportError = _INTERRUPTED
            start_ns = self.clock()
            try:
                result = self._answer(request)
            except BaseException as interruption:
                # It may have been sent, and nothing that happened may be missing from the record.
                result = LostError(f"interrupted by {type(interruption).__name__}")
                raise
            finally:
                op = self._op(
                    call,
                    result,
                    sequence=sequence,
                    purpose=purpose,
                    intended_ns=start_ns if intended_ns is None else intended_ns,
                    start_ns=start_ns,
                    end_ns=self.clock(),
                )
                self.sink(op)
            return op

    def poll(self, call: Call, *, sleep: Callable[[float], object] = time.sleep) -> Op:
        """Send a query that waits for a version, again and again while the answer is `behind`.

        The API waits for less than `wait_ms` and says when to ask again, as an invocation that
        waits is one that no command can have. So each further request, after `Retry-After` or when
        `wait_ms` is over, is an op of its own, and sent to poll.

        Args:
            call: What is asked, with a token and `wait_ms`.
            sleep: Pauses for so many seconds.
        """
        op = self.run(call)
        until_ns = op.start_ns + int(call.parameters.get("wait_ms") or 0) * 1_000_000
        while op.problem == "behind" and op.retry_after_s is not None:
            left_s = (until_ns - op.end_ns) / 1e9
            if left_s <= 0:
                break
            sleep(min(op.retry_after_s, left_s))
            op = self.run(call, purpose=Purpose.POLL)
        return op

    def send(self, request: Request) -> Answer:
        """Sign and send a request that the caller built, however odd, and return the answer.

        It is no op, and nothing records it.

        Raises:
            TransportError: If no complete answer came.
        """
        if self.credentials is not None:
            request = sign(request, credentials=self.credentials, region=self.region)
        return self.transport(request)

    def _answer(self, request: Request) -> Answer | TransportError:
        try:
            return self.send(request)
        except TransportError as error:
            return error

    def _op(self, call: Call, result: Answer | TransportError, **known: Any) -> Op:
        judged = judge(result)
        answer = result if isinstance(result, Answer) else None
        done = answer if judged.outcome is Outcome.OK else None
        members = (done.members if done else None) or {}
        is_command = call.kind is Kind.COMMAND
        event_id = members.get("event_id") if is_command else None
        return Op(
            writer=self.session.writer.name,
            session=self.session.name,
            principal=self.principal,
            call=call,
            aggregate=call.aggregate or (_located(done) if done else None),
            outcome=judged.outcome,
            status=answer.status if answer else None,
            replayed=answer is not None and _is_replayed(answer),
            version=version_of(answer) if answer else None,
            event_id=event_id if isinstance(event_id, str) else None,
            problem_type=judged.problem_type,
            detail=judged.detail,
            state=members if done and not is_command else None,
            retry_after_s=_retry_after_s(answer) if answer else None,
            **known,
        )


def _is_replayed(answer: Answer) -> bool:
    stated: str = answer.headers.get("idempotency-replayed", "")
    return stated.lower() == "true"


def _retry_after_s(answer: Answer) -> int | None:
    """The seconds of `Retry-After`; a date, which it may be as well, is no API's of ours."""
    stated = answer.headers.get("retry-after", "")
    return int(stated) if stated.isdecimal() else None


def _located(answer: Answer) -> str | None:
    """The id that the system made, by the `Location` of its answer."""
    location = urlsplit(answer.headers.get("location", "")).path
    return unquote(location.rpartition("/")[2]) or None
