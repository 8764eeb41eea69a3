"""Where runs are kept, and whether somebody still writes to one."""

from __future__ import annotations

import fcntl
from typing import TYPE_CHECKING

from tidemark.api.session import is_name
from tidemark.errors import NotStartedError

if TYPE_CHECKING:
    from pathlib import Path

MANIFEST = "run.json"
"""What a run is, in its folder."""

VERDICT = "verdict.json"
"""What the judge said of a run last, in its folder."""

WRITERS = "processes"
"""The folder in a run's folder with a file for each process that ever had it open."""

GOING = "~removed"
"""What the name of a run's folder ends in while it is being removed."""

LOCK = "lock"
"""Held, in a run's folder, by every process that writes to it."""


def folder_of_runs(state: Path) -> Path:
    """Return where the runs of a state folder are."""
    return state / "runs"


def folder_of(runs: Path, run_id: object) -> Path:
    """Return where the run is, or will be, that somebody else gave a name.

    Args:
        runs: The folder of all runs' folders.
        run_id: Its name, as it was told.

    Raises:
        NotStartedError: No run can be called so.
    """
    if not is_name(run_id):
        raise NotStartedError(
            f"{run_id!r} is no name for a run: letters, digits, _, ~ and - make one."
        )
    return runs / str(run_id)


def is_in_use(path: Path) -> bool:
    """Tell whether a process that lives has a run's folder open."""
    try:
        with (path / LOCK).open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False
