"""How a hand-written history is made: the clean run, and what one does to some of its rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from tests.invariants.clean_runs import clean_run
from tests.invariants.edits import with_cell
from tests.invariants.recorded import RUN

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.invariants.bank import Row
    from tests.invariants.recorded import Tables

    Break = Callable[[Tables], None]

SEED, STEPS = 1, 0
A0, A1, A2, A3, SHUT = (f"{RUN}-{name}" for name in ("a0", "a1", "a2", "a3", "shut"))
O0, O1 = f"{RUN}-o0", f"{RUN}-o1"
W0, W1 = f"{RUN}.w0", f"{RUN}.w1"


class Case(NamedTuple):
    """A history in which an invariant says one thing.

    Attributes:
        invariant: Its id.
        says: What it says.
        breaks: What is done to the clean run.
    """

    invariant: str
    says: str
    breaks: Break


def broken(*breaks: Break) -> Tables:
    """The clean run, broken."""
    tables = clean_run(SEED, STEPS)
    for one in breaks:
        one(tables)
    return tables


def change(name: str, where: Row, /, **cells: Any) -> Break:
    """Change cells of the first row that has certain others."""

    def breaks(tables: Tables) -> None:
        at = _find(tables[name], where)
        tables[name][at] = _with(name, tables[name][at], cells)

    return breaks


def change_all(name: str, where: Row, /, **cells: Any) -> Break:
    """Change cells of every row that has certain others."""

    def breaks(tables: Tables) -> None:
        tables[name] = [
            _with(name, row, cells) if where.items() <= row.items() else row for row in tables[name]
        ]

    return breaks


def drop(name: str, /, **where: Any) -> Break:
    """Drop the first row that has certain cells."""

    def breaks(tables: Tables) -> None:
        del tables[name][_find(tables[name], where)]

    return breaks


def empty(*names: str) -> Break:
    """Drop every row of some tables."""

    def breaks(tables: Tables) -> None:
        for name in names:
            tables[name] = []

    return breaks


def copy(name: str, where: Row, /, **cells: Any) -> Break:
    """Add a copy of the first row that has certain cells, with others of its own."""

    def breaks(tables: Tables) -> None:
        row = tables[name][_find(tables[name], where)]
        tables[name].append(_with(name, row, cells))

    return breaks


def every(*breaks: Break) -> Break:
    """One after the other."""

    def all_of_them(tables: Tables) -> None:
        for one in breaks:
            one(tables)

    return all_of_them


def _find(rows: list[Row], where: Row) -> int:
    return next(at for at, row in enumerate(rows) if where.items() <= row.items())


def _with(name: str, row: Row, cells: Row) -> Row:
    for column, value in cells.items():
        row = with_cell(name, row, column, value)
    return row
