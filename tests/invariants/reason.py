"""A reason for which a change of a run may go unnoticed: it alters nothing that is claimed."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.invariants.bank import Row
    from tests.invariants.mutations import Mutation
    from tests.invariants.recorded import Tables

    When = Callable[[Mutation, Tables], bool]


class Reason(NamedTuple):
    """A class of changes that alter nothing that is claimed.

    Attributes:
        table: Where they are.
        whats: What they are: `drop`, `double`, or the columns.
        because: Why nothing is claimed of them.
        when: What must be so in the run, before the change.
    """

    table: str
    whats: tuple[str, ...]
    because: str
    when: When


def always(_: Mutation, __: Tables) -> bool:
    """For what is never claimed."""
    return True


def values(mutation: Mutation) -> tuple[int, int]:
    """The lower and the higher of what a number was and is."""
    assert mutation.after is not None
    was, value = mutation.before[mutation.what] or 0, mutation.after[mutation.what]
    return min(was, value), max(was, value)


def of(rows: list[Row], **cells: object) -> list[Row]:
    """The rows with these cells."""
    return [row for row in rows if cells.items() <= row.items()]
