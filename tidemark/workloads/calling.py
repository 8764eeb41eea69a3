"""Who calls a workload of one's own: each command and each read is an op of a session."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from tidemark.api.call import Call
from tidemark.api.client import Sink, process_clock
from tidemark.api.op import CLIENT_PROBLEM, Op, Outcome, Purpose
from tidemark.host.waiting import is_looking
from tidemark.workloads.own import Accepted, Command, Refused, View
from tidemark.workloads.own_checks import WorkloadError, expect, expected

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tidemark.api.session import Session
    from tidemark.workloads.own import OwnWorkload

READ = "GET own"
"""The route of every read, by which its op is known."""

_SEND = "POST own"
_numbers = itertools.count(1)


@dataclass(frozen=True, kw_only=True)
class Caller:
    """One session of calls to a system, by the workload that describes it.

    Attributes:
        workload: What sends and reads.
        session: Who calls.
        sink: Takes the op of every call, also of one that raised.
        purpose: What its calls are made for.
        clock: UTC in nanoseconds.
    """

    workload: OwnWorkload
    session: Session = field(repr=False)
    sink: Sink = field(repr=False)
    purpose: Purpose = Purpose.TEST
    clock: Callable[[], int] = field(default_factory=process_clock, repr=False)

    def for_session(self, name: str) -> Caller:
        """A caller of another session: one for each thread, for calls of one never overlap."""
        return replace(self, session=self.session.writer.session(name))

    def new_id(self) -> str:
        """An id for an aggregate, which nobody has had: it begins with the run's."""
        writer = self.session.writer
        return f"{writer.run_id}.{writer.name}.{next(_numbers)}"

    def command(
        self,
        operation: str,
        aggregate: str,
        body: Mapping[str, Any] | None = None,
        *,
        key: str | None = None,
        expected_version: int | None = None,
    ) -> Op:
        """Have the system do something, once; the op says what is known of it.

        Args:
            operation: What.
            aggregate: To what; an id of `new_id`.
            body: What else it must be told, as JSON.
            key: The key of an earlier op (`op.key`) to send that command again; else a new one.
            expected_version: The version that the aggregate must be at.

        Raises:
            WorkloadError: The id is not of this run, or a method gave what it must not.
            Exception: What `send` raised.
        """
        call = Call(
            operation=operation,
            route=_SEND,
            body=dict(body or {}),
            aggregate=aggregate,
            expected_version=expected_version,
            key=key,
        )

        def send(keyed: Call) -> Accepted | Refused:
            answer = self.workload.send(command_of(keyed))
            expect(type(self.workload), "send", answer, Accepted, Refused)
            return answer

        expected(self.workload, command_of(call))  # what is wrong with that is said before
        return self._run(call, send)

    def read(self, aggregate: str, *, token: int | None = None) -> Op:
        """Ask the read side; the op has `version` and `state`, or fails with status 404.

        Args:
            aggregate: For what.
            token: The version that must be seen at least, such as the op's of a command.

        Raises:
            WorkloadError: The id is not of this run, or `read` gave what it must not.
            Exception: What `read` raised.
        """

        def ask(call: Call) -> View | Refused:
            answer = self.workload.read(aggregate, call.token)
            if answer is None:
                return Refused("not-there", 404)
            expect(type(self.workload), "read", answer, View, Refused)
            return answer

        return self._run(Call(operation="read", route=READ, aggregate=aggregate, token=token), ask)

    def _run(self, call: Call, answered: Callable[[Call], Accepted | Refused | View]) -> Op:
        run = self.session.writer.run_id
        if not (call.aggregate or "").startswith(run):
            raise WorkloadError(
                f"{call.aggregate!r} is no id of this run, so that nobody could tell what becomes "
                "of it from what others do: take one that `new_id()` made."
            )
        with self.session.calling() as sequence:
            if call.route == _SEND:
                call = replace(call, key=call.key or f"{self.session.prefix}.{sequence}")
            about: dict[str, Any] = {
                "outcome": Outcome.INFO,
                "problem_type": f"{CLIENT_PROBLEM}lost",
            }
            start_ns = self.clock()
            try:
                about = _about(call, answered(call))
            except BaseException as error:
                about["detail"] = f"{type(error).__name__}: {error}"
                raise
            finally:
                op = Op(
                    writer=self.session.writer.name,
                    session=self.session.name,
                    sequence=sequence,
                    purpose=self._purpose(call),
                    call=call,
                    aggregate=call.aggregate,
                    intended_ns=start_ns,
                    start_ns=start_ns,
                    end_ns=self.clock(),
                    **about,
                )
                self.sink(op)
            return op

    def _purpose(self, call: Call) -> Purpose:
        """A read that is asked for until it shows something would make any look late."""
        return Purpose.POLL if call.route == READ and is_looking() else self.purpose


def command_of(call: Call) -> Command:
    """The command that a call of `Caller.command` sends."""
    return Command(
        operation=call.operation,
        aggregate=call.aggregate or "",
        body=call.body or {},
        key=call.key or "",
        expected_version=call.expected_version,
    )


def event_id_of(aggregate: str, version: int, event_id: str | None) -> str:
    """The id of an event, also where its place in the log is all that it has."""
    return event_id or f"{aggregate}@{version}"


def _about(call: Call, answer: Accepted | Refused | View) -> dict[str, Any]:
    """What an op says of its answer."""
    match answer:
        case Accepted():
            return {
                "outcome": Outcome.OK,
                "status": 202,
                "version": answer.version,
                "event_id": event_id_of(call.aggregate or "", answer.version, answer.event_id),
                "replayed": answer.replayed,
            }
        case View():
            return {
                "outcome": Outcome.OK,
                "status": 200,
                "version": answer.version,
                "state": answer.state,
            }
        case Refused():
            return {
                "outcome": Outcome.FAIL,
                "status": answer.status,
                "problem_type": f"{CLIENT_PROBLEM}{answer.why.replace(':', ' ')}",
                "detail": answer.why,
            }
