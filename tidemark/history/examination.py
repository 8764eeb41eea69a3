"""What is wrong with the files of a run: missing, torn, edited, of strangers, or not all there."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from tidemark.history.checksums import differing
from tidemark.history.exported import EXPORTED
from tidemark.history.files import files_of, first_line, schema_of, writer_of
from tidemark.history.places import MANIFEST, is_in_use
from tidemark.history.tables import TABLES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

CLOSING = frozenset({"writers", "written"})
"""The tables that say of the others who wrote them, and how much."""

_AT_ONCE = 2

# What is written once, at the end: of a writer that was killed then it is not whole.
_AT_THE_END = (*(one.name for one in EXPORTED), "claims", "settings")

# Bytes that are no text are a ValueError.
_UNREADABLE = (OSError, ValueError, pa.ArrowException)


def examine(run: Path, manifest: Mapping[str, Any]) -> dict[str, list[str]]:
    """What is wrong with each table of a run, in sentences; a table without an entry is whole.

    Args:
        run: The run's folder.
        manifest: Its `run.json`.
    """
    return _Examination(run, manifest).gaps


class _Examination:
    """Compares what is in a folder with what its writers say that they wrote."""

    def __init__(self, run: Path, manifest: Mapping[str, Any]) -> None:
        self._run = run
        self.gaps: dict[str, list[str]] = {}
        self._rows: Counter[tuple[str, str]] = Counter()
        # Their rows cannot be counted, and what is wrong with them is said.
        self._unread: set[tuple[str, str]] = set()
        self._whole = {name: self._read(name) for name in TABLES}
        for name, why in manifest.get("left_out", {}).items():
            self._say(name, why)
        writers = manifest.get("writers")
        if isinstance(writers, list) and writers:
            self._compare({str(one) for one in writers})
        else:
            how = "is still being written" if is_in_use(run) else "was never closed"
            self._say_of_all(f"the run {how}: {MANIFEST} does not name its writers")
        with ThreadPoolExecutor(_AT_ONCE) as pool:  # most of it is reading, which takes no lock
            for name, sentences in pool.map(self._compute_again, self._whole.items()):
                for sentence in sentences:
                    self._say(name, sentence)

    def _say(self, table: str, sentence: str) -> None:
        self.gaps.setdefault(table, []).append(sentence)

    def _say_of_all(self, sentence: str) -> None:
        for name in TABLES:
            self._say(name, sentence)

    def _read(self, name: str) -> list[Path]:
        """Note the rows of a table's files, and which of them cannot be read."""
        whole = []
        schema = schema_of(TABLES[name])
        for file in files_of(self._run, name):
            try:
                metadata = pq.read_metadata(file)
                found = metadata.schema.to_arrow_schema()
            except _UNREADABLE as error:
                self._leave_torn(name, file, error)
                continue
            if found.equals(schema, check_metadata=False):
                self._rows[name, writer_of(file)] += metadata.num_rows
                whole.append(file)
            else:
                self._leave(name, file, f"has other columns: {_difference(found, schema)}")
        return whole

    def _leave_torn(self, name: str, file: Path, error: Exception) -> None:
        self._leave(name, file, f"is torn, or no Parquet file ({first_line(error)})")

    def _leave(self, name: str, file: Path, why: str) -> None:
        """Leave a file of a table unread, and say why."""
        self._unread.add((name, writer_of(file)))
        self._say(name, f"{file.relative_to(self._run)} {why}")

    def _compare(self, expected: set[str]) -> None:
        closing = self._table("writers")
        counts = self._table("written")
        known = {row["writer"] for row in closing}
        for writer in sorted(expected - known):
            self._say_of_all(f"the writer {writer} left no closing row")
        for writer in sorted(known - expected):
            self._say_of_all(f"the writer {writer} is none of those in {MANIFEST}")
        for name, writer in sorted(self._rows):
            if writer not in known | expected:
                self._say(name, f"{name}/{writer}.parquet is of no writer of this run")
        for row in closing:
            if row["closed"]:
                self._compare_rows(row, counts)
            else:
                self._note_killed(row["writer"])

    def _compare_rows(self, closing: Mapping[str, Any], counts: list[dict[str, Any]]) -> None:
        """Compare the rows of a writer with the counts that it left."""
        writer = closing["writer"]
        own = [row for row in counts if row["writer"] == writer]
        stated = {row["table_name"]: row["row_count"] for row in own}
        for name in TABLES:
            if name in CLOSING or (name, writer) in self._unread:
                continue
            file, here = f"{name}/{writer}.parquet", self._rows[name, writer]
            if name not in stated:
                self._say(name, f"written/{writer}.parquet does not say how many rows {file} has")
            elif here == 0 < stated[name]:
                self._say(name, f"{file} is missing: {stated[name]} rows were written to it")
            elif here != stated[name]:
                self._say(name, f"{file} has {here} rows, and {stated[name]} were written to it")
        if len(stated) != len(own):
            self._say_of_all(f"written/{writer}.parquet counts a table twice")
        has_all = closing["ops_written"] == self._rows["ops", writer]
        if not has_all and ("ops", writer) not in self._unread:
            self._say(
                "ops",
                f"ops/{writer}.parquet has {self._rows['ops', writer]} rows, and its writer says "
                f"that it wrote {closing['ops_written']}",
            )

    def _note_killed(self, writer: str) -> None:
        """What a process lost that was killed is said invariant by invariant, but for the end."""
        if any(self._rows[name, writer] for name in _AT_THE_END):
            for name in _AT_THE_END:
                self._say(name, f"the writer {writer} was killed while it wrote down the end")

    def _compute_again(self, table: tuple[str, list[Path]]) -> tuple[str, list[str]]:
        """See whether the digests of a table are those of its cells; sentences where not."""
        name, files = table
        rows = sum(count for (of, _), count in self._rows.items() if of == name)
        try:
            differ, looked_at = differing(name, files, rows, self._run.name)
        except _UNREADABLE as error:
            return name, [f"{name} has a file that is torn ({first_line(error)})"]
        if not differ:
            return name, []
        edited = f"{differ} of {looked_at} rows do not have the digest of what they say"
        return name, [f"{name} was edited: {edited}"]

    def _table(self, name: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        for file in self._whole[name]:
            try:
                rows += pq.read_table(file).to_pylist()
            except _UNREADABLE as error:
                self._leave_torn(name, file, error)
        return rows


def _difference(found: pa.Schema, wanted: pa.Schema) -> str:
    """The first thing in which the columns of a file are not those that Tidemark writes."""
    for each in wanted:
        if each.name not in found.names:
            return f"{each.name} is missing"
        own = found.field(each.name)
        if own.type != each.type:
            return f"{each.name} is of type {own.type}, not {each.type}"
        if own.nullable != each.nullable:
            return f"{each.name} is {'optional' if own.nullable else 'required'} there"
    strange = [name for name in found.names if name not in wanted.names]
    return f"{strange[0]} is none of them" if strange else "they are in another order"
