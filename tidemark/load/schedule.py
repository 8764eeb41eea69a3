"""The arrivals of a run as calls, taken by whichever caller is free."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tidemark.load.arrivals import draws
from tidemark.load.share import Share

if TYPE_CHECKING:
    from collections.abc import Callable

    from tidemark.api.call import Call
    from tidemark.load.arrivals import Arrival, Plan
    from tidemark.workloads.bank_arrivals import Traffic


@dataclass(frozen=True)
class Due:
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
        self._plan = plan
        self._traffic = traffic
        self._clock = clock
        mine = share or Share()
        self._coming = plan.arrivals(mine.worker, mine.workers)
        self._begin_ns: int | None = None
        self._ahead: deque[Arrival] = deque()
        self._uncounted_ns: deque[int] = deque()

    def begin_at(self, instant_ns: int) -> None:
        """Have the plan begin at an instant, in UTC nanoseconds, that all workers are told."""
        self._begin_ns = instant_ns

    def take(self) -> Due | None:
        """Return the next call that no other caller has taken, or None after the last one."""
        if self._begin_ns is None:
            self._begin_ns = self._clock()
        arrival = self._ahead.popleft() if self._ahead else self._come()
        if arrival is None:
            return None
        return Due(call_of(arrival, self._plan, self._traffic), self._begin_ns + _ns(arrival))

    def newly_due(self) -> int:
        """Return how many calls were to start since this was last asked, taken or not."""
        if self._begin_ns is None:
            return 0
        gone_ns = self._clock() - self._begin_ns
        while not self._uncounted_ns or self._uncounted_ns[-1] <= gone_ns:
            arrival = self._come()
            if arrival is None:
                break
            self._ahead.append(arrival)
        count = 0
        while self._uncounted_ns and self._uncounted_ns[0] <= gone_ns:
            self._uncounted_ns.popleft()
            count += 1
        return count

    def _come(self) -> Arrival | None:
        arrival = next(self._coming, None)
        if arrival is not None:
            self._uncounted_ns.append(_ns(arrival))
        return arrival


def call_of(arrival: Arrival, plan: Plan, traffic: Traffic) -> Call:
    """Return the call of an arrival, which is the same however many workers there are."""
    which, where, size = draws(f"{plan.seed}/call", arrival.number, 3)
    return traffic.call((which, where, size))


def _ns(arrival: Arrival) -> int:
    return int(arrival.offset_s * 1e9)
