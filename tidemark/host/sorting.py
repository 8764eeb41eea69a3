"""Rows that are more than memory holds, grouped and sorted on this machine's disk."""

from __future__ import annotations

import pickle
import sqlite3
from contextlib import contextmanager
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Self

from tidemark.errors import TidemarkError

if TYPE_CHECKING:
    from collections.abc import Iterator


class SortedRows:
    """Takes rows in any order, and gives them back group by group.

    They are in a file of SQLite's that has no name: it goes with the process, however that ends.
    Memory holds a few megabytes of them, however many they are. What raises for want of room does
    so as a `TidemarkError`.
    """

    def __init__(self) -> None:
        self._database = sqlite3.connect("", isolation_level=None)
        for statement in (
            "PRAGMA journal_mode = OFF",
            "PRAGMA temp_store = FILE",
            "CREATE TABLE rows (name TEXT, number INTEGER, value BLOB)",
            "BEGIN",
        ):
            self._database.execute(statement)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    def add(self, name: str, number: int, value: Any) -> None:
        """Take a row.

        Args:
            name: Its group.
            number: Where it stands in its group; of equal ones, the first to come is first.
            value: The rest of it, of types that can be pickled.
        """
        with _room():
            self._database.execute(
                "INSERT INTO rows VALUES (?, ?, ?)", (name, number, pickle.dumps(value))
            )

    def groups(self) -> Iterator[tuple[str, Iterator[Any]]]:
        """Yield each group's name and its values, in order; take them before the next group."""
        with _room():
            rows = self._database.execute(
                "SELECT name, value FROM rows ORDER BY name, number, rowid"
            )
            for name, group in groupby(rows, itemgetter(0)):
                yield name, (pickle.loads(value) for _, value in group)  # noqa: S301 -- this process's own


@contextmanager
def _room() -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:
        raise TidemarkError(
            f"There is no room to sort what the run left ({error}): make some in the folder for "
            "temporary files, or name another one in TMPDIR, and run it again."
        ) from error
