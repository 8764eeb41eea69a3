"""A run that does not fit the judge's memory is judged as one that does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tidemark.history.folder import RunFolder
from tidemark.invariants.catalog import catalog
from tidemark.invariants.judge import Judgement, Verdict, judge_tables
from tidemark.invariants.views import connect
from tools.bench import histories

if TYPE_CHECKING:
    from pathlib import Path

_OPS = 1_000_000
_ENOUGH = 900 * 1024**2
_TOO_LITTLE = 128 * 1024**2


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A run that lacks a line of a statement, and whose counts nobody compares."""
    path: Path = tmp_path_factory.mktemp("large") / "run"
    histories.write(path, _OPS)
    folder = RunFolder.open(path)
    (file,) = folder.files("lines")
    lines = pq.read_table(file)
    pq.write_table(pa.concat_tables([lines.slice(0, 500), lines.slice(501)]), file)
    return folder.as_left()


def judged(folder: RunFolder, memory: int, *, spills: bool = True) -> list[Judgement]:
    with connect(folder, memory=memory) as database:
        # Of more threads each has buffers, beside which little is left to spill.
        database.execute("SET threads = 1")
        if not spills:
            database.execute("SET max_temp_directory_size = '0KiB'")
        return judge_tables(database, {}, list(catalog().values()))


def test_what_spills_to_disk_is_judged_as_what_fits_the_memory(broken: RunFolder) -> None:
    fits = judged(broken, _ENOUGH)

    assert {one.verdict for one in fits} == {Verdict.HOLDS, Verdict.VIOLATED}
    assert judged(broken, _TOO_LITTLE) == fits


def test_so_little_memory_is_not_enough_without_a_disk(broken: RunFolder) -> None:
    unknown = [
        one for one in judged(broken, _TOO_LITTLE, spills=False) if one.verdict is Verdict.UNKNOWN
    ]

    assert unknown
    assert all("cannot be read" in one.reasons[0] for one in unknown)
