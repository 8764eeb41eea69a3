"""The search for the highest rate that a target sustains, as a function of the steps so far.

It doubles the rate until a step fails, halves what is between the best rate and the worst, and
repeats the best one. A rate that failed once is too high for good: what is reported has passed
twice, and never failed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

FINEST = 1.02
"""The finest resolution: rates have three digits."""

_PASSES = 2
_DIGITS = 3


@dataclass(frozen=True)
class Step:
    """A rate that was tried.

    Attributes:
        rate: Calls per second.
        passed: Whether every bound was met and every claimed invariant holds.
    """

    rate: float
    passed: bool


@dataclass(frozen=True)
class Found:
    """What a search has come to.

    Attributes:
        rate: The highest rate that passed below all that failed; None if there is none.
        ceiling: The lowest rate that failed; None if none did.
        is_repeated: Whether the rate has passed twice.
    """

    rate: float | None
    ceiling: float | None
    is_repeated: bool


@dataclass(frozen=True)
class Search:
    """A search.

    Attributes:
        start: The first rate, in calls per second.
        most: The highest rate that may be tried.
        least: The lowest rate that is worth trying.
        resolution: By which factor the lowest rate that failed may exceed what is found.
        most_steps: After how many steps it gives up.
    """

    start: float
    most: float
    least: float = 0.5
    resolution: float = 1.1
    most_steps: int = 16

    def next_rate(self, steps: Sequence[Step]) -> float | None:
        """Return the rate to try next, or None if the search is over."""
        if len(steps) >= self.most_steps:
            return None
        found = found_by(steps)
        low, high = found.rate, found.ceiling
        if low is None:
            return self._first(high)
        if high is None and low < self.most:
            return min(_rounded(2 * low), self.most)
        if high is not None and high > self.resolution * low:
            return _rounded(math.sqrt(low * high))
        return None if found.is_repeated else low

    def is_settled(self, steps: Sequence[Step]) -> bool:
        """Tell whether it ended by itself, and not by its limit of steps."""
        found = found_by(steps)
        return self.next_rate(steps) is None and (found.rate is None or found.is_repeated)

    def _first(self, high: float | None) -> float | None:
        """Return what to try as long as nothing has passed."""
        if high is None:
            return min(max(self.start, self.least), self.most)
        return None if high <= self.least else max(_rounded(high / 2), self.least)


def found_by(steps: Sequence[Step]) -> Found:
    """Return what the steps so far have come to."""
    ceiling = min((one.rate for one in steps if not one.passed), default=math.inf)
    passed = [one.rate for one in steps if one.passed and one.rate < ceiling]
    rate = max(passed, default=None)
    return Found(
        rate=rate,
        ceiling=None if ceiling == math.inf else ceiling,
        is_repeated=rate is not None and passed.count(rate) >= _PASSES,
    )


def _rounded(rate: float) -> float:
    return float(f"{rate:.{_DIGITS}g}")
