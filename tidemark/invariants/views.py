"""The tables of a run folder as views of a database, under the names that the invariants use."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import duckdb

from tidemark.history.tables import TABLES, Kind
from tidemark.invariants.spilling import spilling

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tidemark.history.folder import RunFolder

_TYPES = {Kind.TEXT: "VARCHAR", Kind.INTEGER: "BIGINT", Kind.FLAG: "BOOLEAN"}
_MEMORY = "900MiB"

# Names that come again and again: as enumerations they are compared as numbers, not letter by
# letter. Of more names than these the enumeration itself would be large.
_NAMES = ("writer", "session", "aggregate", "owner")
_MOST_NAMES = 1_000_000


@contextmanager
def connect(folder: RunFolder, *, memory: str = _MEMORY) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database with one view for each table; what does not fit the memory spills to disk."""
    with spilling() as spill:
        database = duckdb.connect(
            config={
                "memory_limit": memory,
                "temp_directory": str(spill),
                "preserve_insertion_order": False,
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
            }
        )
        try:
            views = [name for name in TABLES if _make_view(database, folder, name)]
            names = [name for name in _NAMES if _enumerate(database, name, views)]
            for view in views:
                _retype(database, view, names)
            yield database
        finally:
            database.close()


def _make_view(database: duckdb.DuckDBPyConnection, folder: RunFolder, name: str) -> bool:
    """Make a view of a table's files; an empty table where they are not whole."""
    files = [str(file) for file in folder.files(name)]
    if files and name not in folder.gaps:
        try:
            database.read_parquet(files).create_view(f"files_{name}")
        except duckdb.Error as error:  # torn where only this reader looks: a gap like any other
            why = str(error).splitlines()[0]
            folder.gaps.setdefault(name, []).append(f"{name} has a file that is torn ({why})")
        else:
            return True
    columns = ", ".join(f'"{one.name}" {_TYPES[one.kind]}' for one in TABLES[name].columns)
    database.execute(f'CREATE TABLE "{name}" ({columns})')
    return False


def _enumerate(database: duckdb.DuckDBPyConnection, column: str, views: list[str]) -> bool:
    """Make a type of the names in a column of any table, in the order of the alphabet."""
    having = [view for view in views if column in _columns(view)]
    if not having:
        return False
    names = " UNION ".join(f"SELECT {column} AS name FROM files_{view}" for view in having)  # noqa: S608 -- names of ours
    # Files that are torn in their middle stay as they are: who reads them says so.
    with suppress(duckdb.Error):
        database.execute(f"CREATE OR REPLACE TEMP TABLE names AS {names}")
        (count,) = database.execute("SELECT COUNT(name) FROM names").fetchall()[0]
        if 0 < count <= _MOST_NAMES:
            sorted_names = "SELECT name FROM names WHERE name IS NOT NULL ORDER BY name"
            database.execute(f"CREATE TYPE {column}_name AS ENUM ({sorted_names})")
            return True
    return False


def _retype(database: duckdb.DuckDBPyConnection, view: str, names: list[str]) -> None:
    typed = [f"{one}::{one}_name AS {one}" for one in names if one in _columns(view)]
    replaced = f"REPLACE ({', '.join(typed)})" if typed else ""
    database.execute(f'CREATE VIEW "{view}" AS SELECT * {replaced} FROM files_{view}')  # noqa: S608


def _columns(table: str) -> set[str]:
    return {one.name for one in TABLES[table].columns}
