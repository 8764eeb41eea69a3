"""The recorder: rows from any number of threads and greenlets, in whole small files each second.

A file is written beside its place and then renamed, so that what is there is whole. A process
that is killed loses at most what it had not written yet: its last second.
"""

from __future__ import annotations

import errno
import os
from collections import Counter, deque
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from tidemark.errors import ExitCode, TidemarkError
from tidemark.history.files import packing_of, part_name, schema_of
from tidemark.history.native import Repeating, lock, sleep
from tidemark.history.tables import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
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
# So many batches are written at once, in half a millisecond, where the thread rests in between: on
# a core that it shares with a loop, the system would give it turns of four.
_WRITTEN_AT_ONCE = 8
_REST_S = 0.002
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
        every_s: How often what was recorded becomes a file, in seconds.
    """

    def __init__(self, path: Path, writer: str, *, every_s: float = _EVERY_S) -> None:
        self.path = path
        self.writer = writer
        self.rows: Counter[str] = Counter()
        self._waiting: dict[str, deque[tuple[Any, ...]]] = {name: deque() for name in TABLES}
        self._batches: dict[str, list[pa.RecordBatch]] = {name: [] for name in TABLES}
        self._parts: Counter[str] = Counter()
        self._failure: OSError | None = None
        self._packing = lock()
        self._writing = lock()
        self._each_second = Repeating(partial(self._write_now, _REST_S), every_s)

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
                self._write_now()

    @property
    def has_failed(self) -> bool:
        """Whether nothing can be written any more."""
        return self._failure is not None

    def flush(self, rest_s: float = 0.0) -> None:
        """Write what was recorded so far.

        Args:
            rest_s: How long this thread lets others go on after each piece of it, in seconds.

        Raises:
            RecordingError: It cannot be written.
        """
        if not self._writing.acquire(timeout=_ENDS_WITHIN_S):
            raise lost(self.path, TimeoutError(errno.ETIMEDOUT, ""))
        try:
            for name in TABLES:
                self._pack(name, 1)
                with self._packing:
                    batches, self._batches[name] = self._batches[name], []
                if batches:
                    self._write(name, batches, rest_s)
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
            self._each_second.stop(_ENDS_WITHIN_S)
        except TimeoutError as error:
            raise lost(self.path, error) from error
        self.flush()
        with suppress(OSError):  # the parts say the same
            for name in TABLES:
                if self._parts[name]:
                    self._merge(name)

    def _write_now(self, rest_s: float = 0.0) -> None:
        with suppress(RecordingError):  # who closes it is told
            self.flush(rest_s)

    def _pack(self, name: str, least: int) -> None:
        """Make columns of a table's rows, if there are at least so many."""
        with self._packing:
            waiting = self._waiting[name]
            if len(waiting) >= least:
                rows = [waiting.popleft() for _ in range(len(waiting))]
                columns = map(pa.array, zip(*rows, strict=True), _TYPES[name])
                batch = pa.RecordBatch.from_arrays(list(columns), schema=_SCHEMAS[name])
                self._batches[name].append(batch)

    def _write(self, name: str, batches: list[pa.RecordBatch], rest_s: float) -> None:
        if self._failure is not None:
            return
        file = self.path / name / part_name(self.writer, self._parts[name])
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            with (
                _beside(file) as beside,
                pq.ParquetWriter(beside, _SCHEMAS[name], **_PACKING_OF_PARTS) as part,
            ):
                for first in range(0, len(batches), _WRITTEN_AT_ONCE):
                    few = batches[first : first + _WRITTEN_AT_ONCE]
                    part.write_table(pa.Table.from_batches(few))
                    sleep(rest_s)
        except OSError as error:
            self._failure = error
            return
        self._parts[name] += 1
        self.rows[name] += sum(batch.num_rows for batch in batches)

    def _merge(self, name: str) -> None:
        folder = self.path / name
        parts = [folder / part_name(self.writer, part) for part in range(self._parts[name])]
        with (
            _beside(folder / f"{self.writer}.parquet") as beside,
            pq.ParquetWriter(beside, _SCHEMAS[name], **packing_of(_SCHEMAS[name])) as merged,
        ):
            for rows in _gathered(parts):
                merged.write_table(rows)
        for part in parts:
            part.unlink()


def _gathered(parts: Iterable[Path]) -> Iterator[pa.Table]:
    """The rows of some files one after the other, in tables as large as a group at least."""
    batches: list[pa.RecordBatch] = []
    count = 0
    for part in parts:
        for batch in pq.ParquetFile(part).iter_batches():
            batches.append(batch)
            count += batch.num_rows
            if count >= _GROUP:
                yield pa.Table.from_batches(batches)
                batches, count = [], 0
    if batches:
        yield pa.Table.from_batches(batches)


@contextmanager
def _beside(file: Path) -> Iterator[Path]:
    """A path to write a file to, so that a reader sees all of it or nothing."""
    beside = file.with_name(f".{file.name}")
    try:
        yield beside
        beside.replace(file)
    finally:
        beside.unlink(missing_ok=True)  # it is there if it could not be written
