from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tidemark.api.session import Writer
from tidemark.history import retention
from tidemark.history.runs import kept as runs_of
from tidemark.history.writing import RunWriter
from tidemark.workloads.workload import Unknown

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    for number in range(1, 6):
        folder = tmp_path / f"run-{number}"
        folder.mkdir()
        (folder / "run.json").write_text("{}")
        (folder / "ops.jsonl").write_bytes(b"x" * 1_000_000)
    return tmp_path


def kept(runs: Path) -> list[str]:
    return sorted(one.name for one in runs.iterdir())


def test_the_oldest_beyond_the_count_are_removed_and_it_is_said(runs: Path) -> None:
    said = retention.clear(runs, most_runs=3)
    assert kept(runs) == ["run-3", "run-4", "run-5"]
    assert said is not None
    assert said.startswith(f"Removed run-1, run-2 (2.0 MB) from {runs}: ")
    assert retention.clear(runs, most_runs=3) is None


def test_the_oldest_beyond_the_size_are_removed(runs: Path) -> None:
    said = retention.clear(runs, most_bytes=4_100_000)
    assert kept(runs) == ["run-2", "run-3", "run-4", "run-5"]
    assert said is not None
    assert said.startswith("Removed run-1 (1.0 MB)")


def test_a_run_under_way_stays(runs: Path) -> None:
    with RunWriter(runs / "run-1", Writer("run-1", "w1"), Unknown()):
        retention.clear(runs, most_runs=1)
    assert kept(runs) == ["run-1", "run-5"]


def test_a_run_of_which_only_a_part_can_be_removed_is_said_to_be_removed_and_goes_next_time(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("tidemark.history.retention.shutil.rmtree", lambda *_, **__: None)
        said = retention.clear(runs, most_runs=4)
    assert said is not None
    assert said.startswith("Removed run-1 (1.0 MB)")
    assert [one.name for one in runs_of(runs)] == ["run-2", "run-3", "run-4", "run-5"]

    retention.clear(runs, most_runs=4)
    assert kept(runs) == ["run-2", "run-3", "run-4", "run-5"]


def test_a_run_that_was_killed_before_it_was_described_counts_and_goes_like_others(
    runs: Path,
) -> None:
    RunWriter(runs / "run-0", Writer("run-0", "w1"), Unknown()).close()
    RunWriter(runs / "run-4a", Writer("run-4a", "w1"), Unknown()).close()
    with RunWriter(runs / "run-0a", Writer("run-0a", "w1"), Unknown()):
        said = retention.clear(runs, most_runs=3)

    assert kept(runs) == ["run-0a", "run-4", "run-4a", "run-5"]
    assert said is not None
    assert said.startswith("Removed run-0, run-1, run-2, run-3 (")


def test_what_is_no_run_stays(runs: Path) -> None:
    (runs / "a-note").mkdir()
    retention.clear(runs, most_runs=0)
    assert kept(runs) == ["a-note"]


def test_without_runs_there_is_nothing_to_do(tmp_path: Path) -> None:
    assert retention.clear(tmp_path / "runs") is None
