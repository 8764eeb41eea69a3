"""The projection: applies an event, and before it what the transport lost or reordered."""

from dataclasses import dataclass
from enum import StrEnum
from itertools import islice

from functions.adapters.budget import Budget
from functions.adapters.clock import Clock
from functions.adapters.command_store import CommandStore
from functions.adapters.projection_store import (
    AlreadyAppliedError,
    GapError,
    ProjectionStore,
    UnknownEventError,
)
from functions.adapters.transactions import ContendedError
from functions.domain.account import Event

_HEALED_AT_ONCE = 100


class Outcome(StrEnum):
    """What became of one delivered event."""

    APPLIED = "applied"
    DUPLICATE = "duplicate"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Projected:
    """One event that the read model has now.

    `healed` are the versions that were applied before it, `attempts` the transactions it took.
    """

    outcome: Outcome
    healed: tuple[int, ...]
    attempts: int
    lag_ms: int


class NoTimeLeftError(Exception):
    """The event could not be applied in the time there was: a later delivery may."""


def project(
    event: Event, *, store: ProjectionStore, log: CommandStore, clock: Clock, budget: Budget
) -> Projected:
    """Bring the read model of an account up to an event.

    One transaction where nothing is in the way. A gap is filled from the log, in order; a
    duplicate changes nothing; what contends is tried again with jitter while there is time.

    Raises:
        UnknownEventError: the log does not know the event: no later try will help.
        NoTimeLeftError: the invocation's time was over first.
    """
    pending = [event]
    healed: list[int] = []
    attempts = conflicts = 0
    while True:
        if budget.left_ms() <= 0:
            raise NoTimeLeftError(f"no time left after {attempts} attempts")
        current = pending[0]
        attempts += 1
        now_ms = clock.now_ms()
        outcome = Outcome.APPLIED
        try:
            try:
                store.apply(current, now_ms=now_ms)
            except AlreadyAppliedError:
                outcome = Outcome.DUPLICATE
                store.acknowledge(current, now_ms=now_ms)
        except GapError as gap:
            pending[:0] = _missing(log, current, gap.version)
            continue
        except ContendedError:
            conflicts += 1
            clock.pause(clock.jittered_ms(conflicts, base_ms=20, longest_ms=500))
            continue
        pending.pop(0)
        if not pending:
            return Projected(outcome, tuple(healed), attempts, now_ms - event.recorded_at)
        if outcome is Outcome.APPLIED:
            healed.append(current.version)


def _missing(log: CommandStore, event: Event, version: int) -> list[Event]:
    found = log.events(event.account_id, after=version, before=event.version)
    missing = list(islice(found, _HEALED_AT_ONCE))
    if not missing:
        raise UnknownEventError(
            f"the log has no event between versions {version} and {event.version}"
        )
    return missing
