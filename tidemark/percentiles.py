"""Exact percentiles of recorded values; nothing is rounded into buckets."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_TENTHS_BELOW = 100


def percentile(ordered: Sequence[float], share: float) -> float:
    """Return the smallest value that at least `share` of the values do not exceed.

    This is the nearest-rank percentile, the element at rank ⌈share · n⌉: always a value that
    was measured, never one interpolated between two.

    Args:
        ordered: The values, ascending.
        share: Which share, above 0 and at most 1.

    Raises:
        ValueError: If there are no values or the share is out of bounds.
    """
    if not ordered or not 0 < share <= 1:
        raise ValueError(f"There is no percentile {share} of {len(ordered)} values.")
    return ordered[math.ceil(share * len(ordered)) - 1]


def brief(value: float) -> str:
    """Return a value as tables have it: with a tenth below 100."""
    return f"{value:.{1 if abs(value) < _TENTHS_BELOW else 0}f}"


SHARES = (0.5, 0.9, 0.95, 0.99, 0.999, 0.9999, 1.0)
"""The percentiles of a spread, in its order."""


@dataclass(frozen=True)
class Spread:
    """How a set of durations is spread, in milliseconds."""

    p50_ms: float
    p90_ms: float
    p95_ms: float
    p99_ms: float
    p99_9_ms: float
    p99_99_ms: float
    max_ms: float

    @classmethod
    def of(cls, values_ms: Iterable[float]) -> Self | None:
        """Return the spread of the values, or None if there are none."""
        ordered = sorted(values_ms)
        return cls(*(percentile(ordered, share) for share in SHARES)) if ordered else None
