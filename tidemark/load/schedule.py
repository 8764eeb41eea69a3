"""The arrivals of a run as calls, taken by whichever caller is free."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from tidemark.load.share import Share

if TYPE_CHECKING:
    from collections.abc import Callable

    from tidemark.api.call import Call
    from tidemark.load.arrivals import Arrival, Plan
    from tidemark.workloads.bank_arrivals import Traffic


class Due(NamedTuple):
    """A call, and when it is intended to start.

    Attributes:
        call: What is commanded or asked.
        intended_ns: UTC nanoseconds.
    """

    call: Call
    intended_ns: int


class Schedule:
    """A plan that is being sent. It begins when the first caller asks what to do, or as said.

    Args:
        plan: When calls arrive.
        traffic: What they are.
        clock: UTC in nanoseconds.
        share: What of it is sent here.
    """

    def __init__(
        self, plan: Plan, traffic: Traffic, clock: Callable[[], int], share: Share | None = None
    ) -> None:
        self._traffic = traffic
        self._clock = clock
        mine = share or Share()
        self._coming = plan.arrivals(mine.worker, mine.workers)
        self._keys = f"{traffic.run_id}.{mine.writer}.plan"
        self._begin_ns: int | None = None
        self._ahead: deque[Arrival] = deque()
        self._latest_ns = 0
        self._future_ns: deque[int] = deque()
        self._due = 0

    def begin_at(self, instant_ns: int) -> None:
        """Have the plan begin at an instant, in UTC nanoseconds, that all workers are told."""
        self._begin_ns = instant_ns

    def take(self) -> Due | None:
        """Return the next call that no other caller has taken, or None after the last one."""
        if self._begin_ns is None:
            self._begin_ns = self._clock()
        gone_ns = self._clock() - self._begin_ns
        arrival = self._ahead.popleft() if self._ahead else self._come(gone_ns)
        if arrival is None:
            return None
        call = self._traffic.call(arrival.chances)
        if arrival.again_after_s is not None:
            call = replace(call, key=f"{self._keys}.{arrival.number}")
        return Due(call, self._begin_ns + _ns(arrival))

    def newly_due(self) -> int:
        """Return how many calls were to start since this was last asked, taken or not."""
        if self._begin_ns is None:
            return 0
        gone_ns = self._clock() - self._begin_ns
        while self._latest_ns <= gone_ns and (arrival := self._come(gone_ns)) is not None:
            self._ahead.append(arrival)
        while self._future_ns and self._future_ns[0] <= gone_ns:
            self._future_ns.popleft()
            self._due += 1
        due, self._due = self._due, 0
        return due

    def _come(self, gone_ns: int) -> Arrival | None:
        """Have the next arrival of the plan come, and count it once it is due.

        Args:
            gone_ns: How long ago the plan began.
        """
        arrival = next(self._coming, None)
        if arrival is not None:
            self._latest_ns = _ns(arrival)
            if self._latest_ns <= gone_ns:
                self._due += 1
            else:
                self._future_ns.append(self._latest_ns)
        return arrival


def _ns(arrival: Arrival) -> int:
    return int(arrival.offset_s * 1e9)
