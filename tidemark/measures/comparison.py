"""Two runs side by side: what differs, whether that is more than noise, and whether it is worse."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tidemark.measures.noise import Interval

_SHARES = ("error_share",)
_SHARE_THRESHOLD = 0.01


@dataclass(frozen=True)
class Difference:
    """One measure of two runs.

    Attributes:
        name: The measure.
        before: What the first run has of it.
        after: What the second has.
        threshold: From which relative change on it is a regression; of shares, a change of one
            percentage point always is.
    """

    name: str
    before: Interval
    after: Interval
    threshold: float

    @property
    def is_share(self) -> bool:
        """Whether it is a share from 0 to 1."""
        return self.name in _SHARES

    @property
    def change(self) -> float:
        """By how much it changed: a share in itself, anything else relative to the first run."""
        change = self.after.value - self.before.value
        if self.is_share or not change:
            return change
        return change / self.before.value if self.before.value else math.copysign(math.inf, change)

    @property
    def is_beyond_noise(self) -> bool:
        """Whether it changed by more than the runs themselves vary.

        The halves of both intervals that face each other, added as independent errors are.
        """
        low, high = sorted((self.before, self.after), key=lambda one: one.value)
        return high.value - low.value > math.hypot(high.value - high.low, low.high - low.value)

    @property
    def is_worse(self) -> bool:
        """Whether it changed for the worse: rates should be high, all else low."""
        return self.change < 0 if self.name.endswith("_per_s") else self.change > 0

    @property
    def is_regression(self) -> bool:
        """Whether it is worse by more than noise and by at least the threshold."""
        least = _SHARE_THRESHOLD if self.is_share else self.threshold
        return self.is_worse and self.is_beyond_noise and abs(self.change) >= least


def compare(
    before: Mapping[str, Interval], after: Mapping[str, Interval], threshold: float
) -> Sequence[Difference]:
    """Compare each measure that both runs have.

    Args:
        before: The measures of the run that is the measure of all.
        after: Those of the other.
        threshold: From which relative change on something worse is a regression.
    """
    return [
        Difference(name, before[name], after[name], threshold) for name in before if name in after
    ]
