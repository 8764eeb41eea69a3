"""One measured figure and the bound that it is held against."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the result.

    Attributes:
        name: What was measured.
        value: The figure; None of what could not be measured, and the note says why.
        unit: Its unit; `x` for a ratio of two things measured in the same run.
        at_most: What the project means to reach, where less is better.
        note: What stands behind the figure.
        at_least: What it means to reach, where more is better.
    """

    name: str
    value: float | None
    unit: str
    at_most: float = math.inf
    note: str = ""
    at_least: float = -math.inf

    @property
    def reached(self) -> bool:
        """Whether the figure is within its bound."""
        return self.value is not None and self.at_least <= self.value <= self.at_most

    @property
    def bound(self) -> str:
        """The bound, in words; empty if there is none."""
        if math.isinf(self.at_most) and math.isinf(self.at_least):
            return ""
        sign, bound = ("≤", self.at_most) if math.isfinite(self.at_most) else ("≥", self.at_least)
        return f"{sign} {bound:g} {self.unit}"
