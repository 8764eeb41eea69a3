"""Projection lag of a run's events, by the system's own clocks.

Every event of the run is read from the log by key and consistently, so that nothing is taken
from an index or a metric that may itself be late.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tidemark.host.waiting import NotSeenError, NotYetError, eventually
from tidemark.percentiles import Spread

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from tidemark.workloads.bank_items import Event
    from tidemark.workloads.bank_tables import BankTables


@dataclass(frozen=True)
class Lag:
    """How late the events of a run were.

    Attributes:
        events: How many the log has.
        projected: How many of them were seen projected.
        spread: The projection lag of those.
        late: Ids of events that were not seen projected by the deadline.
        missing: Ids of events that were acknowledged and are not in the log.
        waited_s: How long after the load the last event was waited for.
        is_complete: Whether the waiting came to its end; False if it was cut short.
    """

    events: int
    projected: int
    spread: Spread | None
    late: Sequence[str]
    missing: Sequence[str]
    waited_s: float
    is_complete: bool = True


class LagMeter:
    """Watches the log until every event of a run is projected, or a deadline passes.

    Args:
        tables: The tables of the deployment.
        clock: Monotonic time in seconds.
    """

    def __init__(self, tables: BankTables, clock: Callable[[], float] = time.monotonic) -> None:
        self._tables = tables
        self._clock = clock

    def wait(self, acknowledged: Mapping[str, AbstractSet[str]], *, within_s: float) -> Lag:
        """Read the events of some accounts until all are projected.

        Args:
            acknowledged: The accounts that the run may have changed, each with the ids of the
                events that it was told of.
            within_s: How long to wait for the last event, in seconds.

        Returns:
            What was seen, also if the deadline passed first or the user cut the wait short.

        Raises:
            TidemarkError: The log has an item that cannot be read as an event.
        """
        log: dict[str, list[Event]] = {}
        pending = set(acknowledged)
        started = self._clock()
        is_complete = True

        def probe() -> bool:
            for account_id in sorted(pending):
                log[account_id] = self._tables.log(account_id)
                if all(event.lag_ms is not None for event in log[account_id]):
                    pending.discard(account_id)
            if pending:
                raise NotYetError(f"events of {len(pending)} accounts not projected")
            return True

        try:
            eventually(probe, within_s=within_s, what="the last event to be projected")
        except NotSeenError:
            pass  # what is late is named in the result
        except KeyboardInterrupt:
            is_complete = False
        events = [event for logged in log.values() for event in logged]
        lags_ms = [event.lag_ms for event in events if event.lag_ms is not None]
        # Of an account that was not read, nothing is known to be missing.
        told = {event_id for account_id in log for event_id in acknowledged[account_id]}
        return Lag(
            events=len(events),
            projected=len(lags_ms),
            spread=Spread.of(lags_ms),
            late=[event.key.event_id for event in events if event.lag_ms is None],
            missing=sorted(told - {event.key.event_id for event in events}),
            waited_s=self._clock() - started,
            is_complete=is_complete,
        )
