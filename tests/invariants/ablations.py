"""The system with one thing broken on purpose, and the fault under which that shows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tests.invariants.bank import Account, Answer, Command, Event, WriteSide
from tests.invariants.projecting import Message, Outcome, Projection, Transport
from tests.invariants.recorded import RUN, Run

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

A, B, OWNER = f"{RUN}-a", f"{RUN}-b", f"{RUN}-o"
_RECEIVES = 5


# The write side


class AltersAmounts(WriteSide):
    def decide(self, command: Command, head: Account, now_ms: int) -> Event:
        return super().decide(replace(command, amount=command.amount - 1), head, now_ms)


class KeepsAnswersLater(WriteSide):
    def append(self, command: Command, decided: Event, head: Account) -> bool:
        if self.head(command.account).version != head.version:
            return False
        self.put_event(decided)
        self.crash_if_armed()
        self.keep_answer(command, decided)
        return True


class RefusesFirst(WriteSide):
    def answer_kept(self, command: Command) -> Answer | None:
        refusal = self.refusal(command, self.head(command.account))
        return refusal or super().answer_kept(command)


class HashesWithoutAccount(WriteSide):
    def payload_hash(self, command: Command) -> str:
        return f"{command.operation}/{command.amount}"


class AppendsUnconditionally(WriteSide):
    def append(self, command: Command, decided: Event, head: Account) -> bool:  # noqa: ARG002 -- that is what is broken
        self.events = [
            one
            for one in self.events
            if (one.account, one.version) != (decided.account, decided.version)
        ]
        self.put_event(decided)
        self.keep_answer(command, decided)
        return True


# The projection


class HasNoGuard(Projection):
    def bring_up_to(self, event: Event | None, now_ms: int) -> Outcome:
        if event is None or not self.is_known(event):
            return super().bring_up_to(event, now_ms)
        self.apply(event, now_ms)
        return Outcome("applied")


class AcknowledgesGaps(Projection):
    def catch_up(self, event: Event, now_ms: int) -> Outcome:
        if event.version == self.version(event.account) + 1:
            return super().catch_up(event, now_ms)
        self.acknowledge(event, now_ms)
        return Outcome("duplicate")


class JumpsOverGaps(Projection):
    def catch_up(self, event: Event, now_ms: int) -> Outcome:
        self.apply(event, now_ms)
        return Outcome("applied")


class WritesTwice(Projection):
    def apply(self, event: Event, now_ms: int) -> None:
        self.put_account(event, now_ms)
        self.crash_if_armed()
        self.put_effects(event, now_ms)


class MarksWhatIsNotThere(Projection):
    """An update makes the item that it does not find."""

    def is_known(self, event: Event) -> bool:
        if super().is_known(event):
            return True
        nobody = replace(event, event_id="", key="", projected_at_ms=event.recorded_at_ms)
        self.write.events.append(replace(nobody, in_outbox=False))
        return True

    def catch_up(self, event: Event, now_ms: int) -> Outcome:
        if self.write.event(event.account, event.version - 1) is None:
            return Outcome("duplicate")
        return super().catch_up(event, now_ms)


# What brings messages, and what brings them again


class Swallows(Transport):
    def settle(self, batch: Sequence[Message], failed: Sequence[Message]) -> None:  # noqa: ARG002 -- that is what is broken
        self.delete(batch)


class ReportsNoFailures(Transport):
    def settle(self, batch: Sequence[Message], failed: Sequence[Message]) -> None:
        super().settle(batch, batch if failed else [])


class NeverSweeps(Run):
    def sweep(self) -> None:
        pass


# Faults: each is done to the whole system and to the broken one alike


def nothing(run: Run) -> None:
    run.command("deposit", A, 10)


def lost_publish(run: Run) -> None:
    """Of an account's last event."""
    run.command("deposit", A, 10)
    run.publishes = False
    run.command("deposit", A, 20)
    run.publishes = True


def duplicate_delivery(run: Run) -> None:
    run.command("deposit", A, 10)
    message = run.transport.waiting[-1]
    run.project()
    run.transport.project([message])


def reordering(run: Run) -> None:
    run.command("deposit", A, 10)
    run.command("deposit", A, 20)
    first, second = run.transport.waiting
    run.transport.project([second])
    run.read(A)
    run.transport.project([first])


def drop(run: Run) -> None:
    run.command("deposit", A, 10)
    run.command("deposit", A, 20)
    run.transport.delete(run.transport.waiting[:1])


def crash_of_the_processor(run: Run) -> None:
    """Between its writes, if it has several; then the message comes again."""
    run.command("deposit", A, 10)
    run.projection.crashes_in_the_middle = True
    run.project()
    run.sample(run.write.events[-1])


def crash_of_the_handler(run: Run) -> None:
    """Between its writes, if it has several; then the client sends the command again."""
    run.write.crashes_at_next_write = True
    run.again(run.command("deposit", A, 10))


def lost_answer(run: Run) -> None:
    """Somebody else sees what the command did; then the client sends it again."""
    run.command("deposit", A, 10)
    lost = run.command("withdraw", A, 10, is_lost=True)
    run.project()
    run.read(A)
    run.clock.pass_ms(1)
    run.again(lost)


def one_key_on_two_accounts(run: Run) -> None:
    run.again(run.command("deposit", A, 10), account=B)


def concurrent_writers(run: Run) -> None:
    """Two that read the account before either of them writes."""
    head, since_ns = run.write.head(A), run.clock.now_ns
    for number, amount in enumerate((10, 20)):
        run.command("deposit", A, amount, pinned=head.version, caller=run.caller(number, 0),
                    head=head, since_ns=since_ns)  # fmt: skip


def impossible_version(run: Run) -> None:
    event = run.write.events[0]
    _poison(run, replace(event, version=99, event_id="poison"))


def poison(run: Run) -> None:
    _poison(run, None)


def one_bad_record_in_ten(run: Run) -> None:
    for amount in range(9):
        run.command("deposit", A, amount + 1)
    _poison(run, None)


def _poison(run: Run, event: Event | None) -> None:
    message = run.transport.publish(event)
    fault = run.fault("poison", message_id=message.id)
    for _ in range(_RECEIVES):
        run.transport.project(run.transport.waiting)
    fault["end_ns"] = run.clock.now_ns


@dataclass(frozen=True)
class Ablation:
    """A system with one thing broken.

    Attributes:
        broken: What.
        fault: The fault under which it shows.
        must: What must be violated: one of each group.
        holds: What must hold all the same.
        write_side: Its write side.
        projection: Its projection.
        transport: What brings the messages.
        run: Who uses it, and sweeps.
    """

    broken: str
    fault: Callable[[Run], None]
    must: tuple[set[str], ...] = ()
    holds: tuple[str, ...] = ()
    write_side: type[WriteSide] = WriteSide
    projection: type[Projection] = Projection
    transport: type[Transport] = Transport
    run: type[Run] = Run


ABLATIONS = [
    Ablation(
        "amount altered between decision and append", nothing, ({"I1"},),
        write_side=AltersAmounts,
    ),
    Ablation("no sweeper", lost_publish, ({"I2"}, {"I6"}), run=NeverSweeps),
    Ablation(
        "no version guard in the projection", duplicate_delivery, ({"I4"},),
        projection=HasNoGuard,
    ),
    Ablation(
        "no version guard in the projection", reordering, ({"I6"}, {"I8"}),
        projection=HasNoGuard,
    ),
    Ablation(
        "gaps acknowledged and marked as projected, no healing", drop, ({"I2", "I6"}, {"I7"}),
        projection=AcknowledgesGaps,
    ),
    Ablation(
        "a gap skipped by jumping to the newest version", reordering, ({"I8"}, {"I6"}),
        projection=JumpsOverGaps,
    ),
    Ablation(
        "account row first; line, totals and mark in a second write", crash_of_the_processor,
        ({"I4"}, {"I7"}),
        projection=WritesTwice,
    ),
    Ablation(
        "answer kept after the event is written", crash_of_the_handler, ({"I1"}, {"I11"}),
        write_side=KeepsAnswersLater,
    ),
    Ablation(
        "refusal decided before looking at the kept answer", lost_answer, ({"I11", "I1"},),
        write_side=RefusesFirst,
    ),
    Ablation(
        "payload hash without the account", one_key_on_two_accounts, ({"I1"},),
        write_side=HashesWithoutAccount,
    ),
    Ablation(
        "neither event put nor head update conditioned", concurrent_writers, ({"I10"}, {"I1"}),
        write_side=AppendsUnconditionally,
    ),
    Ablation(
        "mark removed without checking that the event exists", impossible_version,
        ({"I3"}, {"I5"}),
        projection=MarksWhatIsNotThere,
    ),
    Ablation("consumer swallows exceptions", poison, ({"I12", "I2"},), transport=Swallows),
    Ablation(
        "batch failures not reported", one_bad_record_in_ten, holds=("I4", "I13"),
        transport=ReportsNoFailures,
    ),
]  # fmt: skip
