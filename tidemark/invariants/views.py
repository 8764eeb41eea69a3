"""The tables of a run folder as views of a database, under the names that the invariants use.

Each is there twice: as it was written, and with 64-bit hashes in place of the names in it. Names
are long, and an invariant does nothing with them but see whether two are the same, which takes
half the time and memory with hashes. Two names with one hash are no danger: see `judge`.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import duckdb

from tidemark.errors import ExitCode, TidemarkError
from tidemark.history.files import first_line
from tidemark.history.tables import TABLES, Kind
from tidemark.invariants.spilling import spilling

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from tidemark.history.folder import RunFolder

_TYPES = {Kind.TEXT: "VARCHAR", Kind.INTEGER: "BIGINT", Kind.FLAG: "BOOLEAN"}
_MIB = 1024 * 1024
_LEAST_MEMORY, _MOST_MEMORY = 900 * _MIB, 2048 * _MIB

_HASHED = "hashed"
_NAMES = frozenset(
    {
        "aggregate",
        "event_id",
        "key",
        "message_id",
        "owner",
        "payload_hash",
        "principal",
        "request_id",
        "session",
        "writer",
    }
)


_MISTAKES = (duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException)


class UnreadableError(TidemarkError):
    """A file of a run is torn in its middle, or what is asked of it is more than memory holds.

    Args:
        why: What the database says of it.
    """

    exit_code = ExitCode.UNKNOWN

    def __init__(self, why: str) -> None:
        super().__init__(f"its tables cannot be read ({why})")
        self.why = why


@contextmanager
def reading() -> Iterator[None]:
    """Of what is asked in the block, say in one way that a run's files do not give it.

    Raises:
        UnreadableError: They do not; a mistake in a query stays what it is.
    """
    try:
        yield
    except _MISTAKES:
        raise
    # The errors of a torn page are as many as there are places to tear it.
    except duckdb.Error as error:
        raise UnreadableError(first_line(error)) from error


def torn(folder: RunFolder, tables: Iterable[str]) -> dict[Path, str]:
    """The files of tables that cannot be read from their beginning to their end, and why.

    Args:
        folder: The run.
        tables: Whose files are looked at.
    """
    found = {}
    with duckdb.connect() as database:
        for file in (one for name in tables for one in folder.files(name)):
            try:
                with reading():
                    database.read_parquet(str(file)).aggregate(
                        "BIT_XOR(HASH(COLUMNS(*)))"
                    ).fetchall()
            except UnreadableError as error:
                found[file] = error.why
    return found


@contextmanager
def connect(folder: RunFolder, *, memory: int | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database with the tables of a run; what does not fit the memory spills to disk.

    Args:
        folder: The run.
        memory: How many bytes it may take, beside what Python does. By default they grow with the
            run: who judges a small one on a small machine has them, and a large one spills less.

    Raises:
        KeyboardInterrupt: Ctrl-C came while a query ran.
    """
    with spilling() as spill:
        database = duckdb.connect(
            config={
                "memory_limit": f"{(memory or _memory_for(folder)) // _MIB}MiB",
                "temp_directory": str(spill),
                "preserve_insertion_order": False,
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
                # By what it guesses of few reads it would compare each of many with each write.
                "asof_loop_join_threshold": 0,
            }
        )
        try:
            for name in TABLES:
                _make_view(database, folder, name)
            add_hashed(database)
            yield database
        except RuntimeError as error:
            # The database takes Ctrl-C for itself, and has no error of its own for it.
            if str(error) == "Query interrupted":
                raise KeyboardInterrupt from error
            raise
        finally:
            database.close()


def _memory_for(folder: RunFolder) -> int:
    size = sum(file.stat().st_size for name in TABLES for file in folder.files(name))
    return min(_LEAST_MEMORY + size // 8, _MOST_MEMORY)


@contextmanager
def hashed(database: duckdb.DuckDBPyConnection) -> Iterator[bool]:
    """As long as the block lasts, the tables are those with hashes; it gets whether there are."""
    found = "SELECT 1 FROM duckdb_schemas() WHERE schema_name = ?"
    if database.execute(found, [_HASHED]).fetchone() is None:
        yield False
        return
    database.execute(f"SET search_path = '{_HASHED}'")
    try:
        yield True
    finally:
        database.execute("RESET search_path")


def _make_view(database: duckdb.DuckDBPyConnection, folder: RunFolder, name: str) -> None:
    """Make a view of a table's files; an empty table where they are not whole."""
    files = [str(file) for file in folder.files(name)]
    if files and name not in folder.gaps:
        try:
            database.read_parquet(files).create_view(name)
        except duckdb.Error as error:  # torn where only this reader looks: a gap like any other
            why = f"{name} has a file that is torn ({first_line(error)})"
            folder.gaps.setdefault(name, []).append(why)
        else:
            return
    columns = ", ".join(f'"{one.name}" {_TYPES[one.kind]}' for one in TABLES[name].columns)
    database.execute(f'CREATE TABLE "{name}" ({columns})')


def add_hashed(database: duckdb.DuckDBPyConnection) -> None:
    """Add the tables with hashes in place of names to a database that has them as written."""
    database.execute(f"CREATE SCHEMA {_HASHED}")
    for name, table in TABLES.items():
        names = [one.name for one in table.columns if one.name in _NAMES]
        hashes = [f"CASE WHEN {one} IS NOT NULL THEN hash({one}) END AS {one}" for one in names]
        replaced = f"REPLACE ({', '.join(hashes)})" if hashes else ""
        query = f'SELECT * {replaced} FROM main."{name}"'  # noqa: S608 -- names of ours
        database.execute(f'CREATE VIEW {_HASHED}."{name}" AS {query}')
