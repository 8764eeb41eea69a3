"""Digests are computed again from what they are of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow.parquet as pq
import pytest

from tests.invariants.clean_runs import clean_run
from tests.invariants.folders import write_rows
from tidemark.history import checksums
from tidemark.history.checksums import DIGESTS, differing
from tidemark.history.tables import TABLES

if TYPE_CHECKING:
    from pathlib import Path


def test_every_text_with_a_digest_is_checked() -> None:
    texts = {
        name
        for name, table in TABLES.items()
        if {"state", "line", "effect"} & {one.name for one in table.columns}
    }
    assert texts == DIGESTS.keys()


@pytest.mark.parametrize("table", DIGESTS)
def test_what_a_run_wrote_down_fits(tmp_path: Path, table: str) -> None:
    rows = clean_run()[table]
    file = write_rows(tmp_path, table, "w", rows)

    assert differing(table, [file], len(rows), "seed") == (0, len(rows))


@pytest.mark.parametrize("table", DIGESTS)
def test_what_was_edited_does_not_fit(tmp_path: Path, table: str) -> None:
    rows = clean_run()[table]
    rows[0] = rows[0] | {DIGESTS[table].text: "{}"}
    file = write_rows(tmp_path, table, "w", rows)

    assert differing(table, [file], len(rows), "seed") == (1, len(rows))


def test_a_read_of_what_is_not_there_has_no_digest(tmp_path: Path) -> None:
    missing = next(row for row in clean_run()["account_reads"] if row["version"] == 0)
    file = write_rows(tmp_path, "account_reads", "w", [missing, missing | {"digest": 1}])

    assert differing("account_reads", [file], 2, "seed") == (1, 2)


def test_of_a_large_table_a_sample_is_checked_across_its_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checksums, "MOST_ROWS", 10)
    monkeypatch.setattr(checksums, "SAMPLE", 10)
    rows = (clean_run()["heads"] * 25)[:100]
    files = [
        write_rows(tmp_path, "heads", f"w{number}", rows[start : start + 30])
        for number, start in enumerate(range(0, 100, 30))
    ]

    for seed in "abc":
        assert differing("heads", files, 100, seed) == (0, 10)

    forged = [row | {"state": "{}"} for row in rows[:30]]
    files[1] = write_rows(tmp_path, "heads", "w1", forged)
    assert differing("heads", files, 100, "a") == (3, 10)


def test_a_sample_is_of_some_groups_of_rows_and_as_large(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checksums, "MOST_ROWS", 10)
    monkeypatch.setattr(checksums, "SAMPLE", 10)
    rows = [row | {"state": "{}"} for row in (clean_run()["heads"] * 25)[:100]]
    file = write_rows(tmp_path, "heads", "w", rows)
    pq.write_table(pq.read_table(file), file, row_group_size=5)

    for seed in "abc":
        differ, looked_at = differing("heads", [file], 100, seed)
        assert differ == looked_at
        assert looked_at in {10, 15}
