"""A load run that could not write all of its history down: by a full disk, or a kill."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from acceptance.load.processes import LOADED, WITHIN_S, deployed, ended, started
from acceptance.load.test_machines import processes
from tests.api.servers import served
from tests.history.rows import rows
from tests.load.fake_bank import FakeBank
from tidemark.host.waiting import eventually

PROGRAM = Path(sys.executable).parent / "tidemark"
# No file can be larger than 2 or 4 KiB, whichever shell it is: as on a disk that is full.
NO_ROOM = ("sh", "-c", 'ulimit -f 4; exec "$@"', "sh")


def checked(run: Path) -> tuple[int, str]:
    """Judge a run, in a process of its own."""
    judge = subprocess.run(
        [PROGRAM, "check", run], capture_output=True, text=True, timeout=WITHIN_S, check=False
    )
    return judge.returncode, judge.stdout + judge.stderr


def run_in(state: Path) -> Path:
    (run,) = (one.parent for one in state.glob("runs/*/run.json"))
    return run


@pytest.mark.parametrize("is_shared", [False, True])
def test_a_run_that_cannot_be_written_down_ends_in_order_and_says_so(
    tmp_path: Path, *, is_shared: bool
) -> None:
    several = processes(2) if is_shared else ()
    with served(FakeBank().answer) as url:
        deployed(url, tmp_path)
        code, out, err = ended(started(tmp_path, *LOADED, *several, under=NO_ROOM))

    assert code == 3
    run = run_in(tmp_path)
    assert err.count(f"The history could not be written to {run} (File too large)") == 1
    assert "make room there, and run it again." in err
    assert err.rstrip().endswith("unknown or incomplete (exit 3)")
    assert "Traceback" not in out + err
    assert "latency in ms" in out

    code, said = checked(run)

    assert code == 3
    assert "the run was never closed: run.json does not name its writers" in said


def test_a_run_that_has_no_room_to_begin_in_ends_at_once_and_says_so(tmp_path: Path) -> None:
    with served(FakeBank().answer) as url:
        deployed(url, tmp_path)
        none = ("sh", "-c", 'ulimit -f 0; exec "$@"', "sh")
        code, out, err = ended(started(tmp_path, *LOADED, under=none))

    assert code == 70, err
    assert "The run could not begin" in err
    assert err.rstrip().endswith("the harness or the target failed (exit 70)")
    assert out == ""


def test_of_a_run_that_was_killed_what_was_written_is_whole_and_nothing_holds(
    tmp_path: Path,
) -> None:
    with served(FakeBank().answer) as url:
        deployed(url, tmp_path)
        process = started(tmp_path, *LOADED)
        ops = eventually(
            lambda: sorted(tmp_path.glob("runs/*/ops/*.parquet")) or None,
            within_s=WITHIN_S,
            what="calls that are written down",
        )
        process.kill()
        process.wait(WITHIN_S)

    run = run_in(tmp_path)
    assert len(rows(run, "ops")) > 0
    assert {one.name for one in ops} <= {one.name for one in (run / "ops").iterdir()}

    code, said = checked(run)

    assert code == 3
    assert "the run was never closed: run.json does not name its writers" in said
    assert " holds" not in said
