"""The projection at work: applies an event, and before it what the transport lost or reordered."""

from collections import deque
from collections.abc import Generator
from dataclasses import dataclass, field

from functions.adapters.aws_errors import AwsError, UnansweredError
from functions.adapters.clock import Clock
from functions.adapters.event_codec import Unreadable
from functions.adapters.event_log import EventLog
from functions.adapters.projection_store import (
    AlreadyApplied,
    Applied,
    Gap,
    NotInLog,
    ProjectionStore,
)
from functions.domain.account import Event

_HEALED_AT_ONCE = 100
"""How many events of a gap are read in one call."""

_MOST_UNANSWERED = 3
"""After so many calls without a useful answer an event is left to a later invocation."""


@dataclass(frozen=True, slots=True)
class Projected:
    """The read model has the event: since now, or since before (a duplicate)."""

    duplicate: bool


@dataclass(frozen=True, slots=True)
class FailedForGood:
    """No later try will help."""

    reason: str


@dataclass(frozen=True, slots=True)
class FailedForNow:
    """A later try may help."""

    reason: str


@dataclass(frozen=True, slots=True)
class Blocked:
    """The event is a fact and cannot be applied: something in the log before it is in the way."""

    reason: str


Ending = Projected | FailedForGood | FailedForNow | Blocked


@dataclass(slots=True)
class Progress:
    """What was done so far for one delivered event.

    Attributes:
        attempts: Transactions that were sent.
        healed: Versions before it that were applied for its sake.
        lags_ms: How late each event was that was applied, by the time after its transaction.
        ambiguous: Whether a call had no answer, so that it may have had its effect.
    """

    attempts: int = 0
    healed: list[int] = field(default_factory=list)
    lags_ms: list[int] = field(default_factory=list)
    ambiguous: bool = False


class Projection:
    """Brings the read model of an account up to an event."""

    def __init__(self, store: ProjectionStore, log: EventLog, clock: Clock) -> None:
        self._store = store
        self._log = log
        self._clock = clock

    def bring_up_to(self, event: Event, progress: Progress) -> Generator[int, None, Ending]:
        """Apply an event, one transaction at a turn.

        One turn where nothing is in the way. A gap is filled from the log, in order; a duplicate
        changes nothing; what contends is tried again, with jitter, and so is, some times, what
        had no answer.

        Args:
            event: the event that was delivered.
            progress: kept up to date, so that it is right whenever the turns end.

        Yields:
            How long to wait before the next turn, in milliseconds.

        Returns:
            What became of the event.
        """
        pending: deque[Event | Unreadable] = deque([event])
        setbacks = unanswered = 0
        while True:
            try:
                ending = self._attempt(pending, progress)
            except AwsError as error:
                progress.ambiguous = progress.ambiguous or error.ambiguous
                unanswered += isinstance(error, UnansweredError)
                if unanswered == _MOST_UNANSWERED:
                    return FailedForNow(str(error))
                setbacks += 1
                wait_ms = self._clock.jittered_ms(setbacks, base_ms=20, longest_ms=500)
            else:
                if ending is not None:
                    return ending
                setbacks = unanswered = wait_ms = 0
            yield wait_ms

    def _attempt(self, pending: deque[Event | Unreadable], progress: Progress) -> Ending | None:
        """Apply the first of what is pending; the delivered event is the last."""
        current = pending[0]
        if isinstance(current, Unreadable):
            return Blocked(f"an event before it cannot be read: {current.reason}")
        progress.attempts += 1
        match self._store.apply(current, now_ms=self._clock.now_ms()):
            case Applied():
                progress.lags_ms.append(self._clock.now_ms() - current.recorded_at)
                pending.popleft()
                if not pending:
                    return Projected(duplicate=False)
                progress.healed.append(current.version)
            case AlreadyApplied():
                pending.popleft()
                if not pending:
                    return Projected(duplicate=True)
            case Gap(version=version):
                missing = self._missing(current, version)
                if not missing:
                    between = f"between {version} and {current.version}"
                    return FailedForGood(f"the log has no event {between}")
                pending.extendleft(reversed(missing))
            case NotInLog():
                reason = f"the log does not have this event at version {current.version}"
                # What the log itself was read as is the log's trouble: the delivered one is a fact.
                return FailedForGood(reason) if len(pending) == 1 else Blocked(reason)
        return None

    def _missing(self, event: Event, version: int) -> list[Event | Unreadable]:
        return self._log.between(
            event.account_id, after=version, before=event.version, most=_HEALED_AT_ONCE
        )
