"""A judge that is killed harms nothing, and the next one says what it would have said."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.invariants.clean_runs import clean_run
from tests.invariants.folders import write_run
from tidemark.host.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

PROGRAM = Path(sys.executable).parent / "tidemark"
WITHIN_S = 60


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where judges put what does not fit their memory."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


@pytest.fixture
def judge(tmp_path: Path, scratch: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A judge that is not done until somebody takes its verdict."""
    run = write_run(tmp_path / "run", clean_run(steps=10)).path
    taking = tmp_path / "verdict.xml"
    os.mkfifo(taking)
    with subprocess.Popen([PROGRAM, "check", run, "--junit", taking]) as process:
        taking.open("rb").close()  # it has seen that it can be written
        eventually(
            lambda: list(scratch.glob("tidemark-check-*")) or None,
            within_s=WITHIN_S,
            what="a judge at work",
        )
        yield process
        process.kill()


def test_the_next_judge_says_what_a_killed_one_would_have_and_removes_what_it_left(
    judge: subprocess.Popen[bytes], scratch: Path, tmp_path: Path
) -> None:
    files = {one: one.read_bytes() for one in (tmp_path / "run").rglob("*.*") if one.is_file()}
    judge.kill()
    judge.wait(WITHIN_S)
    (left,) = scratch.iterdir()
    (left / "duckdb_temp_storage-0.tmp").write_bytes(b"what did not fit")

    again = subprocess.run(
        [PROGRAM, "check", tmp_path / "run"],
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
        check=False,
    )

    assert (again.returncode, again.stdout.splitlines()[-1].split(": ")[1]) == (0, "holds")
    assert list(scratch.iterdir()) == []
    assert files == {one: one.read_bytes() for one in files}


def test_a_judge_leaves_the_folder_of_another_alone(
    judge: subprocess.Popen[bytes], scratch: Path, tmp_path: Path
) -> None:
    (held,) = scratch.iterdir()

    subprocess.run(
        [PROGRAM, "check", tmp_path / "run"], capture_output=True, timeout=WITHIN_S, check=True
    )

    assert list(scratch.iterdir()) == [held]
    assert judge.poll() is None
