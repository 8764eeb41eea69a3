"""The arrivals of a run as calls, taken by whichever caller is free."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tidemark.load.arrivals import draws
from tidemark.measures.summary import Punctuality

if TYPE_CHECKING:
    from collections.abc import Callable

    from tidemark.api.call import Call
    from tidemark.load.arrivals import Arrival, Plan
    from tidemark.workloads.bank_arrivals import Traffic

_LATE_NS = 100_000_000


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
    """A plan that is being sent. It begins when the first caller asks what to do.

    Args:
        plan: When calls arrive.
        traffic: What they are.
        clock: UTC in nanoseconds.
    """

    def __init__(self, plan: Plan, traffic: Traffic, clock: Callable[[], int]) -> None:
        self._plan = plan
        self._traffic = traffic
        self._clock = clock
        self._coming = plan.arrivals()
        self._begin_ns: int | None = None
        self._begun = 0
        self._late = 0

    def take(self) -> Due | None:
        """Return the next call that no other caller has taken, or None after the last one."""
        if self._begin_ns is None:
            self._begin_ns = self._clock()
        arrival = next(self._coming, None)
        if arrival is None:
            return None
        return Due(call_of(arrival, self._plan, self._traffic), self._begin_ns + _ns(arrival))

    def begin(self, due: Due) -> None:
        """Count a call that begins now."""
        self._begun += 1
        self._late += self._clock() - due.intended_ns > _LATE_NS

    def punctuality(self) -> Punctuality:
        """Return how far the plan was kept to until now."""
        if self._begin_ns is None:
            return Punctuality(0, 0, 0)
        gone_ns = self._clock() - self._begin_ns
        # A call under way may have been intended for just after now.
        planned = sum(_ns(arrival) <= gone_ns for arrival in self._plan.arrivals())
        return Punctuality(planned, self._late, max(0, planned - self._begun))


def call_of(arrival: Arrival, plan: Plan, traffic: Traffic) -> Call:
    """Return the call of an arrival, which is the same however many workers there are."""
    which, where, size = draws(f"{plan.seed}/call", arrival.number, 3)
    return traffic.call((which, where, size))


def _ns(arrival: Arrival) -> int:
    return int(arrival.offset_s * 1e9)
