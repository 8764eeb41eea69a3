"""Changes of one cell or row of a run, as a forger makes them: with all sums redone."""

from __future__ import annotations

import random
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from tidemark.history.digests import digest_at, digest_of
from tidemark.history.folder import schema_of
from tidemark.history.tables import TABLES, Kind
from tidemark.invariants.catalog import catalog
from tidemark.invariants.judge import Verdict, judge_tables, verdict_of
from tidemark.invariants.views import connect

if TYPE_CHECKING:
    from collections.abc import Iterator

    import duckdb

    from tests.invariants.model import Row, Tables
    from tidemark.history.folder import RunFolder

# What is computed from what, in the rows that hold both.
DIGESTS = {
    "account_reads": ("state", "digest", None),
    "owner_reads": ("state", "digest", None),
    "heads": ("state", "digest", None),
    "accounts": ("state", "digest", None),
    "lines": ("line", "digest", "version"),
    "page_lines": ("line", "digest", "place"),
    "events": ("effect", "effect_digest", None),
}
# What closes a run is written anew with each change, and so is every sum.
CLOSING = {"writers", "written"}
SUMS = {"digest", "effect_digest", "state_digest", "line_digest", "digest_sum"}


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


class Forger:
    """Changes one thing at a time in a recorded run, and asks the judge.

    Args:
        run: A database with the run's tables.
        tables: The rows of the run.
        seed: Where every draw comes from.
    """

    def __init__(self, run: duckdb.DuckDBPyConnection, tables: Tables, seed: int) -> None:
        self._run = run
        self._tables = {
            name: tables[name] for name in TABLES if name not in CLOSING and tables.get(name)
        }
        self._random = random.Random(seed)  # noqa: S311 -- draws, no secrets

    def draw(self) -> tuple[Mutation, list[Row]]:
        """A change, and the rows of its table with it."""
        while True:
            name = self._random.choice(sorted(self._tables))
            rows = list(self._tables[name])
            at = self._random.randrange(len(rows))
            before = rows[at]
            what = self._random.choice(["drop", "double", "cell", "cell", "cell"])
            if what == "drop":
                del rows[at]
                return Mutation(name, what, before, None), rows
            if what == "double":
                rows.insert(at, before)
                return Mutation(name, what, before, before), rows
            column, value = self._another_cell(name, before)
            rows[at] = _with_sums(name, column, before | {column: value})
            if value != before[column]:
                return Mutation(name, column, before, rows[at]), rows

    def _another_cell(self, name: str, row: Row) -> tuple[str, Any]:
        sums = SUMS if name != "ops" else set()
        column = self._random.choice([one for one in TABLES[name].columns if one.name not in sums])
        value = row[column.name]
        match column.kind:
            case Kind.FLAG:
                return column.name, not value
            case Kind.INTEGER:
                return column.name, (value or 0) + self._random.choice([-1, 1, 7])
        others = {one[column.name] for one in self._tables[name]} - {value, None}
        return column.name, self._random.choice(sorted(others) or [f"{value}x"])

    def verdict(self, mutation: Mutation, rows: list[Row]) -> Verdict:
        """What the judge says of the run with a change."""
        with self._replaced(mutation.table, rows):
            concerned = [one for one in catalog().values() if mutation.table in one.needs]
            return verdict_of(judge_tables(self._run, {}, concerned))

    @contextmanager
    def _replaced(self, name: str, rows: list[Row]) -> Iterator[None]:
        table = pa.Table.from_pylist(rows, schema=schema_of(TABLES[name]))
        self._run.register("mutated", table)
        self._run.execute(f'CREATE OR REPLACE TEMP VIEW "{name}" AS FROM mutated')
        try:
            yield
        finally:
            self._run.execute(f'DROP VIEW temp."{name}"')
            self._run.unregister("mutated")


@contextmanager
def forger(folder: RunFolder, tables: Tables, seed: int) -> Iterator[Forger]:
    """A forger of a run folder."""
    with connect(folder) as run:
        yield Forger(run, tables, seed)


def _with_sums(name: str, column: str, row: Row) -> Row:
    text, digest, place = DIGESTS.get(name, (None, None, None))
    if text is None or digest is None or column not in (text, place) or row[text] is None:
        return row
    of = digest_of(row[text]) if place is None else digest_at(row[place], row[text])
    return row | {digest: of}
