"""The recorder: rows from any number of threads and greenlets, in whole small files each second.

A file is written beside its place and then renamed, so that what is there is whole. A process
that is killed loses at most what it had not written yet: its last second.
"""

from __future__ import annotations

import errno
import os
import time
from collections import Counter, deque
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from tidemark.errors import ExitCode, TidemarkError
from tidemark.history.files import packing_of, part_name, schema_of
from tidemark.history.native import Repeating, lock
from tidemark.history.tables import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

_EVERY_S = 1.0
# So many rows become columns at once, by whoever brings the last of them: no event loop waits a
# millisecond for that, and nothing is left for the thread that would hold the interpreter.
_AT_ONCE = 64
# Beyond so many rows, who records helps to write: memory stays flat however fast it goes.
_MOST_WAITING = 20_000
# To scan a file of many small groups takes several times as long.
_GROUP = 122_880
# A disk that lets nobody write for so long, such as one that a network is in between, is lost.
_ENDS_WITHIN_S = 30.0
# So many batches are written in half a millisecond: as they come, and no more at once, for all that
# a second brings would be long in the way of a loop that has the same core.
_WRITTEN_AT_ONCE = 8
_SOON_S, _LATER_S = 0.02, 0.2
# What is merged in the end is packed in a third of the time that the whole is.
_PACKING_OF_PARTS = {"compression": "snappy", "use_dictionary": False, "write_statistics": False}
_SCHEMAS = {name: schema_of(table) for name, table in TABLES.items()}
_TYPES = {name: schema.types for name, schema in _SCHEMAS.items()}


class RecordingError(TidemarkError):
    """The history cannot be written any more; what was written by then is whole."""

    exit_code = ExitCode.UNKNOWN


def lost(path: Path, failure: OSError) -> RecordingError:
    """What to say of a run folder that could not be written."""
    # Of Arrow's errors the text is its own, and long.
    why = os.strerror(failure.errno) if failure.errno else failure
    return RecordingError(
        f"The history could not be written to {path} ({why}), and what came after that is lost: "
        "make room there, and run it again."
    )


class Recorder:
    """Writes the rows of one process to a run folder.

    Args:
        path: The run folder.
        writer: The name of this process in the run, new at each start.
    """

    def __init__(self, path: Path, writer: str) -> None:
        self.path = path
        self.writer = writer
        self.rows: Counter[str] = Counter()
        self._waiting: dict[str, deque[tuple[Any, ...]]] = {name: deque() for name in TABLES}
        self._batches: dict[str, list[pa.RecordBatch]] = {name: [] for name in TABLES}
        self._open: dict[str, _Part] = {}
        self._parts: Counter[str] = Counter()
        self._failure: OSError | None = None
        self._packing = lock()
        self._writing = lock()
        self._whole_at_s = dict.fromkeys(TABLES, time.monotonic() + _EVERY_S)
        self._looking = Repeating(self._look)

    def add(self, table: str, row: tuple[Any, ...]) -> None:
        """Record one row; it is lost where nothing can be written any more, as on a full disk.

        Args:
            table: The table.
            row: Its values, in the order of the table's columns.
        """
        waiting = self._waiting[table]
        waiting.append(row)  # atomic, from whichever thread
        if len(waiting) >= _AT_ONCE:
            self._pack(table, _AT_ONCE)
            if len(self._batches[table]) * _AT_ONCE > _MOST_WAITING:
                with suppress(RecordingError):  # who closes it is told
                    self.flush()

    @property
    def has_failed(self) -> bool:
        """Whether nothing can be written any more."""
        return self._failure is not None

    def flush(self) -> None:
        """Write what was recorded so far, in files that are whole then.

        Raises:
            RecordingError: It cannot be written.
        """
        if not self._writing.acquire(timeout=_ENDS_WITHIN_S):
            raise lost(self.path, TimeoutError(errno.ETIMEDOUT, ""))
        try:
            for name in TABLES:
                self._make_whole(name)
        finally:
            self._writing.release()
        if self._failure is not None:
            raise lost(self.path, self._failure) from self._failure

    def close(self) -> None:
        """Write the rest, and make one file of each table's parts.

        Raises:
            RecordingError: It cannot be written.
        """
        try:
            self._looking.stop(_ENDS_WITHIN_S)
        except TimeoutError as error:
            raise lost(self.path, error) from error
        self.flush()
        with suppress(OSError):  # the parts say the same
            for name in TABLES:
                if self._parts[name]:
                    self._merge(name)

    def _look(self) -> float:
        """Write some of a table that has much, or all of one whose second is over.

        Returns:
            After how many seconds to look again.
        """
        if not self._writing.acquire(blocking=False):
            return _SOON_S
        try:
            now_s = time.monotonic()
            for name, whole_at_s in self._whole_at_s.items():
                if now_s >= whole_at_s:
                    if self._make_whole(name):
                        return _SOON_S
                elif len(self._batches[name]) >= _WRITTEN_AT_ONCE:
                    self._write(name)
                    return _SOON_S
            return min(_LATER_S, min(self._whole_at_s.values()) - now_s)
        finally:
            self._writing.release()

    def _make_whole(self, name: str) -> bool:
        """Write what there is of a table, and have it be there as a file; whether there was any."""
        self._whole_at_s[name] = time.monotonic() + _EVERY_S
        self._pack(name, 1)
        while self._batches[name]:
            self._write(name)
        part = self._open.get(name)
        if part is not None and self._failure is None:
            with self._failing():
                part.end()
                del self._open[name]
                self._parts[name] += 1
                self.rows[name] += part.rows
        return part is not None

    def _pack(self, name: str, least: int) -> None:
        """Make columns of a table's rows, if there are at least so many."""
        with self._packing:
            waiting = self._waiting[name]
            if len(waiting) >= least:
                rows = [waiting.popleft() for _ in range(len(waiting))]
                columns = map(pa.array, zip(*rows, strict=True), _TYPES[name])
                batch = pa.RecordBatch.from_arrays(list(columns), schema=_SCHEMAS[name])
                self._batches[name].append(batch)

    def _write(self, name: str) -> None:
        """Write some batches of a table."""
        with self._packing:
            batches = self._batches[name]
            few = batches[:_WRITTEN_AT_ONCE]
            del batches[: len(few)]
        if few and self._failure is None:
            with self._failing():
                if name not in self._open:
                    file = self.path / name / part_name(self.writer, self._parts[name])
                    self._open[name] = _Part(file, _SCHEMAS[name], _PACKING_OF_PARTS)
                self._open[name].write(few)

    @contextmanager
    def _failing(self) -> Iterator[None]:
        """Of what goes wrong in the block, keep why: nothing more is written then."""
        try:
            yield
        except OSError as error:
            self._failure = error
            for part in self._open.values():
                part.discard()

    def _merge(self, name: str) -> None:
        folder = self.path / name
        parts = [folder / part_name(self.writer, part) for part in range(self._parts[name])]
        schema = _SCHEMAS[name]
        merged = _Part(folder / f"{self.writer}.parquet", schema, packing_of(schema))
        try:
            for rows in _gathered(parts):
                merged.write(rows)
            merged.end()
        except OSError:
            merged.discard()
            raise
        for part in parts:
            part.unlink()


def _gathered(parts: Iterable[Path]) -> Iterator[list[pa.RecordBatch]]:
    """The rows of some files one after the other, as many at once as a group has at least."""
    batches: list[pa.RecordBatch] = []
    count = 0
    for part in parts:
        for batch in pq.ParquetFile(part).iter_batches():
            batches.append(batch)
            count += batch.num_rows
            if count >= _GROUP:
                yield batches
                batches, count = [], 0
    if batches:
        yield batches


class _Part:
    """A file of rows while it is written beside its place: who reads there sees all or nothing.

    Args:
        file: Its place.
        schema: What its rows are.
        packing: How they are packed.
    """

    def __init__(self, file: Path, schema: pa.Schema, packing: Mapping[str, Any]) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self.rows = 0
        self._file = file
        self._beside = file.with_name(f".{file.name}")
        self._writer = pq.ParquetWriter(self._beside, schema, **packing)

    def write(self, batches: list[pa.RecordBatch]) -> None:
        """Write some rows, as one group."""
        self._writer.write_table(pa.Table.from_batches(batches))
        self.rows += sum(batch.num_rows for batch in batches)

    def end(self) -> None:
        """Have it be whole, at its place."""
        self._writer.close()
        self._beside.replace(self._file)

    def discard(self) -> None:
        """Have it be nowhere."""
        with suppress(OSError):  # what it still holds may not fit the disk
            self._writer.close()
        self._beside.unlink(missing_ok=True)
