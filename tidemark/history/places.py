"""Where runs are kept, and whether somebody still writes to one."""

from __future__ import annotations

import fcntl
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

MANIFEST = "run.json"
"""What a run is, in its folder."""

VERDICT = "verdict.json"
"""What the judge said of a run last, in its folder."""

LOCK = "lock"
"""Held, in a run's folder, by every process that writes to it."""


def folder_of_runs(state: Path) -> Path:
    """Return where the runs of a state folder are."""
    return state / "runs"


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
