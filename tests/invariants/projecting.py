"""The read side of the small bank: what projects an event, and the queue that brings it there."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from tests.invariants.bank import Account, CrashError, Event, Row, WriteSide
from tidemark.workloads.canonical import digest_at, digest_of

if TYPE_CHECKING:
    from collections.abc import Sequence

_MS = 1_000_000
_MOST_RECEIVES = 5


@dataclass
class Clock:
    """The time of a run, in UTC nanoseconds; it moves when it is told to."""

    now_ns: int

    @property
    def now_ms(self) -> int:
        return self.now_ns // _MS

    def pass_ms(self, milliseconds: int) -> None:
        self.now_ns += milliseconds * _MS


@dataclass
class Message:
    """A message of the queue; one without an event cannot be read."""

    id: str
    event: Event | None
    receive_count: int = 0


@dataclass
class Outcome:
    """What became of a message in an invocation."""

    outcome: str
    attempts: int = 1
    ambiguous: bool = False
    healed: list[int] = field(default_factory=list)


class Totals(NamedTuple):
    """The totals of an owner."""

    accounts: int = 0
    balance: int = 0


class Projection:
    """Applies an event in one transaction; an ablation overrides one of its steps."""

    def __init__(self, write: WriteSide) -> None:
        self.write = write
        self.accounts: dict[str, tuple[Account, int]] = {}
        self.lines: dict[tuple[str, int], Event] = {}
        self.totals: dict[str, Totals] = {}
        self.loses_next_answer = False
        self.crashes_in_the_middle = False

    def version(self, account: str) -> int:
        return self.accounts[account][0].version if account in self.accounts else 0

    def bring_up_to(self, event: Event | None, now_ms: int) -> Outcome:
        """What the processor does with a message."""
        if event is None:
            return Outcome("failed", attempts=0)
        if not self.is_known(event):
            return Outcome("failed")
        if self.version(event.account) >= event.version:
            self.acknowledge(event, now_ms)
            return Outcome("duplicate")
        return self.catch_up(event, now_ms)

    def is_known(self, event: Event) -> bool:
        logged = self.write.event(event.account, event.version)
        return logged is not None and logged.event_id == event.event_id

    def catch_up(self, event: Event, now_ms: int) -> Outcome:
        """Apply what is missing before an event, and then the event."""
        healed = list(range(self.version(event.account) + 1, event.version))
        for version in healed:
            missing = self.write.event(event.account, version)
            assert missing is not None, "the log has no gap"
            self.apply(missing, now_ms)
        self.apply(event, now_ms)
        lost, self.loses_next_answer = self.loses_next_answer, False
        if lost:  # the second attempt finds that the first had its effect
            return Outcome("duplicate", attempts=2, ambiguous=True, healed=healed)
        return Outcome("applied", attempts=1 + len(healed), healed=healed)

    def apply(self, event: Event, now_ms: int) -> None:
        """Account, line, totals and mark in one transaction."""
        self.put_account(event, now_ms)
        self.put_effects(event, now_ms)
        self.crash_if_armed()

    def put_account(self, event: Event, now_ms: int) -> None:
        self.accounts[event.account] = (self.evolved(event), now_ms)

    def evolved(self, event: Event) -> Account:
        """The account's row with an event more: the row before it, and what the event says."""
        before, _ = self.accounts.get(event.account, (Account(event.account, event.owner), 0))
        status = "closed" if event.type == "AccountClosed" else "open"
        return Account(
            event.account, before.owner, before.balance + event.signed, status, event.version
        )

    def put_effects(self, event: Event, now_ms: int) -> None:
        self.lines[event.account, event.version] = event
        totals = self.totals.get(event.owner, Totals())
        opened = totals.accounts + (event.type == "AccountOpened")
        self.totals[event.owner] = Totals(opened, totals.balance + event.signed)
        self.acknowledge(event, now_ms)

    def acknowledge(self, event: Event, now_ms: int) -> None:
        """Remove the mark of the outbox, if the log has the event."""
        event.in_outbox = False
        event.projected_at_ms = event.projected_at_ms or now_ms

    def crash_if_armed(self) -> None:
        armed, self.crashes_in_the_middle = self.crashes_in_the_middle, False
        if armed:
            raise CrashError

    def account_rows(self) -> list[Row]:
        return [
            {
                "aggregate": account.id,
                "version": account.version,
                "state": account.state(),
                "digest": digest_of(account.state()),
                "balance": account.balance,
                "projected_at_ms": projected_at_ms,
            }
            for account, projected_at_ms in self.accounts.values()
        ]

    def line_rows(self) -> list[Row]:
        return [
            {
                "aggregate": account,
                "version": version,
                "line": event.line(),
                "digest": digest_at(version, event.line()),
            }
            for (account, version), event in self.lines.items()
        ]

    def totals_rows(self) -> list[Row]:
        return [{"owner": owner} | totals._asdict() for owner, totals in self.totals.items()]


class Transport:
    """The queue, its invocations of the processor, and the queue of dead letters."""

    def __init__(self, projection: Projection, clock: Clock) -> None:
        self.projection = projection
        self.clock = clock
        self.waiting: list[Message] = []
        self.rows: dict[str, list[Row]] = defaultdict(list)
        self._messages = self._invocations = 0

    def publish(self, event: Event | None) -> Message:
        self._messages += 1
        message = Message(f"m{self._messages}", event)
        self.waiting.append(message)
        return message

    def project(self, batch: Sequence[Message]) -> None:
        """One invocation with some of the messages that wait."""
        self._invocations += 1
        request = f"r{self._invocations}"
        started = [
            {
                "request_id": request,
                "message_id": message.id,
                "at_ms": self.clock.now_ms,
                "ended": True,
            }
            for message in batch
        ]
        self.rows["invocations"] += started
        failed = []
        for message in batch:
            message.receive_count += 1
            self.clock.pass_ms(3)
            try:
                outcome = self.projection.bring_up_to(message.event, self.clock.now_ms)
            except CrashError:
                for row in started:
                    row["ended"] = False
                return
            self._log(request, message, outcome)
            if outcome.outcome == "failed":
                failed.append(message)
        self.settle(batch, failed)

    def settle(self, batch: Sequence[Message], failed: Sequence[Message]) -> None:
        """What was done leaves the queue; what failed too often is a dead letter."""
        self.delete([one for one in batch if one not in failed])
        for message in failed:
            self.bury_if_spent(message)

    def delete(self, messages: Sequence[Message]) -> None:
        self.waiting = [one for one in self.waiting if one not in messages]

    def bury_if_spent(self, message: Message) -> None:
        if message.receive_count >= _MOST_RECEIVES:
            self.bury(message)

    def bury(self, message: Message) -> None:
        self.delete([message])
        self.rows["dead_letters"].append(
            {"message_id": message.id, "receive_count": message.receive_count} | _about(message)
        )

    def _log(self, request: str, message: Message, outcome: Outcome) -> None:
        self.rows["deliveries"].append(
            {
                "request_id": request,
                "message_id": message.id,
                "receive_count": message.receive_count,
                "outcome": outcome.outcome,
                "attempts": outcome.attempts,
                "ambiguous": outcome.ambiguous,
                "at_ms": self.clock.now_ms,
            }
            | _about(message)
        )
        for version in outcome.healed:
            assert message.event is not None
            self.rows["healed"].append(
                {
                    "request_id": request,
                    "message_id": message.id,
                    "aggregate": message.event.account,
                    "version": version,
                }
            )


def _about(message: Message) -> Row:
    event = message.event
    return {
        "event_id": event.event_id if event else None,
        "aggregate": event.account if event else None,
        "version": event.version if event else None,
    }
