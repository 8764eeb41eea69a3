"""What changed between two results."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Self

from tidemark.probe.observation import Comparison

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tidemark.probe.result import Result, RowResult

_NOT_THERE = "no such row"


@dataclass(frozen=True, slots=True)
class Change:
    """A row that says something else than before.

    Attributes:
        name: The row's slug.
        before: What it said.
        now: What it says.
    """

    name: str
    before: str
    now: str


@dataclass(frozen=True, slots=True)
class Difference:
    """How a result compares to an earlier one.

    Attributes:
        same: The rows that say what they said.
        changed: The rows that do not.
    """

    same: Sequence[str]
    changed: Sequence[Change]

    @classmethod
    def between(cls, before: Result, now: Result) -> Self:
        """Compare two results row by row.

        A row is the same when comparison and observation are; bounds, figures and durations are
        left aside. A row that could not be probed for an error is never the same.
        """
        earlier = {one.name: one for one in before.row_results}
        current = {one.name: one for one in now.row_results}
        names = [*current, *(name for name in earlier if name not in current)]
        changed = [
            Change(name, _say(earlier.get(name)), _say(current.get(name)))
            for name in names
            if not _is_same(earlier.get(name), current.get(name))
        ]
        gone = {change.name for change in changed}
        return cls([name for name in names if name not in gone], changed)

    def as_json(self) -> dict[str, Any]:
        """The document that is printed."""
        return {"same": len(self.same), "changed": [asdict(one) for one in self.changed]}


def _is_same(before: RowResult | None, now: RowResult | None) -> bool:
    if before is None or now is None or now.comparison is Comparison.FAILED:
        return False
    return (before.comparison, before.observed) == (now.comparison, now.observed)


def _say(row_result: RowResult | None) -> str:
    if row_result is None:
        return _NOT_THERE
    return f"{row_result.comparison_in_words}: {row_result.observed}"
