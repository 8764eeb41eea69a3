"""The tables of a run folder as views of a database, under the names that the invariants use."""

from __future__ import annotations

from contextlib import contextmanager
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import duckdb

from tidemark.history.tables import TABLES, Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tidemark.history.folder import RunFolder

_TYPES = {Kind.TEXT: "VARCHAR", Kind.INTEGER: "BIGINT", Kind.FLAG: "BOOLEAN"}
_MEMORY = "1GiB"


@contextmanager
def connect(folder: RunFolder, *, memory: str = _MEMORY) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database with one view for each table; what does not fit the memory spills to disk."""
    with TemporaryDirectory(prefix="tidemark-check-") as spill:
        database = duckdb.connect(
            config={
                "memory_limit": memory,
                "temp_directory": spill,
                "preserve_insertion_order": False,
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
            }
        )
        try:
            for name in TABLES:
                _make_view(database, folder, name)
            yield database
        finally:
            database.close()


def _make_view(database: duckdb.DuckDBPyConnection, folder: RunFolder, name: str) -> None:
    files = [str(file) for file in folder.files(name)]
    if files and name not in folder.gaps:
        try:
            database.read_parquet(files).create_view(name)
        except duckdb.Error as error:  # torn where only this reader looks: a gap like any other
            why = str(error).splitlines()[0]
            folder.gaps.setdefault(name, []).append(f"{name} has a file that is torn ({why})")
        else:
            return
    columns = ", ".join(f'"{one.name}" {_TYPES[one.kind]}' for one in TABLES[name].columns)
    database.execute(f'CREATE TABLE "{name}" ({columns})')
