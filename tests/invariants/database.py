"""The tables of a run in a database that is used again and again, and the judge on top."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa

from tidemark.history.files import schema_of
from tidemark.history.tables import TABLES
from tidemark.invariants.catalog import catalog
from tidemark.invariants.judge import Judgement, Verdict, judge_tables
from tidemark.invariants.views import add_hashed

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from tests.invariants.bank import Row
    from tests.invariants.recorded import Tables


class Database:
    """A database that holds one run at a time.

    Args:
        hashed: Whether it has the hashes of names too, of which the judge then asks first.
    """

    def __init__(self, *, hashed: bool = False) -> None:
        self.connection = duckdb.connect(config={"threads": 1})
        self._tables: Tables = {}
        self._prefix = "given_" if hashed else ""
        if hashed:
            for name, table in TABLES.items():
                self.connection.register(f"given_{name}", schema_of(table).empty_table())
                self.connection.execute(f"CREATE VIEW {name} AS FROM given_{name}")
            add_hashed(self.connection)

    def load(self, tables: Tables) -> None:
        """Hold this run from now on."""
        self._tables = tables
        for name in TABLES:
            self._put(name, tables[name])

    @contextmanager
    def changed(self, tables: Tables) -> Iterator[set[str]]:
        """Hold some tables otherwise, as long as the block lasts; it gets who reads them."""
        changed = [name for name in TABLES if tables[name] != self._tables[name]]
        for name in changed:
            self._put(name, tables[name])
        try:
            yield {
                one.id
                for one in catalog().values()
                if "claims" in changed or not set(changed).isdisjoint(one.needs)
            }
        finally:
            for name in changed:
                self._put(name, self._tables[name])

    def judge(self, ids: Collection[str] | None = None) -> dict[str, Judgement]:
        """What the judge says of the run, by invariant."""
        wanted = [one for one in catalog().values() if ids is None or one.id in ids]
        return {one.invariant.id: one for one in judge_tables(self.connection, {}, wanted)}

    def verdicts(self, ids: Collection[str] | None = None) -> dict[str, Verdict]:
        """The same, in a word each."""
        return {one: judgement.verdict for one, judgement in self.judge(ids).items()}

    def _put(self, name: str, rows: list[Row]) -> None:
        self.connection.register(
            f"{self._prefix}{name}", pa.Table.from_pylist(rows, schema=schema_of(TABLES[name]))
        )
