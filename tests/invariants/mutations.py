"""Changes of one cell or row of a run, as a forger makes them: with all sums redone."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.invariants.clean_runs import closed
from tests.invariants.database import Database
from tests.invariants.edits import another_cell, with_cell
from tidemark.history.examination import CLOSING
from tidemark.history.tables import TABLES

if TYPE_CHECKING:
    from tests.invariants.bank import Row
    from tests.invariants.recorded import Tables
    from tidemark.invariants.judge import Verdict

# Cells that say how many rows another table has of the row they stand in.
HOW_MANY = {("ops", "rows_read"), ("page_reads", "is_kept")}


@dataclass(frozen=True)
class Mutation:
    """One change.

    Attributes:
        table: Where.
        what: `drop`, `double`, or the name of the column that is another now.
        before: The row as it was.
        after: The row as it is; None where it is gone.
    """

    table: str
    what: str
    before: Row
    after: Row | None

    @property
    def may_be_unknown(self) -> bool:
        """Whether it is a row that is gone, or a cell that says how many there were."""
        return self.what == "drop" or (self.table, self.what) in HOW_MANY


class Forger:
    """Changes one thing at a time in a run, and asks the judge.

    Args:
        tables: The run, in which all holds.
        seed: Where every draw comes from.
    """

    def __init__(self, tables: Tables, seed: int) -> None:
        self._tables = tables
        self._database = Database()
        self._database.load(tables)
        self._names = [name for name in TABLES if name not in CLOSING and tables[name]]
        self._random = random.Random(seed)  # noqa: S311 -- draws, no secrets

    def draw(self) -> tuple[Mutation, Tables]:
        """A change, and the run with it: its counts and digests are as if it had been so."""
        while True:
            name = self._random.choice(self._names)
            rows = list(self._tables[name])
            at = self._random.randrange(len(rows))
            before = rows[at]
            what = self._random.choice(["drop", "double", "cell", "cell", "cell"])
            after: Row | None = before
            if what == "drop":
                after = None
                del rows[at]
            elif what == "double":
                rows.insert(at, before)
            else:
                what, value = another_cell(name, before, rows, self._random)
                rows[at] = after = with_cell(name, before, what, value)
                if value == before[what]:
                    continue
            return Mutation(name, what, before, after), closed(self._tables | {name: rows})

    def verdicts(self, changed: Tables) -> dict[str, Verdict]:
        """What the judge says of those invariants of a run that a change may concern."""
        with self._database.changed(changed) as concerned:
            return self._database.verdicts(concerned)
