"""One measured figure and the bound that it is held against."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the result.

    Attributes:
        name: What was measured.
        value: The figure.
        unit: Its unit; `x` for a ratio of two things measured in the same run.
        at_most: What the project means to reach.
        note: What stands behind the figure.
    """

    name: str
    value: float
    unit: str
    at_most: float
    note: str = ""

    @property
    def reached(self) -> bool:
        """Whether the figure is within its bound."""
        return self.value <= self.at_most
