"""How many runs are kept, and how large they may be together."""

from __future__ import annotations

import shutil
from contextlib import suppress
from typing import TYPE_CHECKING

from tidemark.history.places import GOING, is_in_use
from tidemark.history.runs import kept

if TYPE_CHECKING:
    from pathlib import Path

    from tidemark.history.runs import Kept

MOST_RUNS = 50
MOST_BYTES = 1_000_000_000


def prune(runs: Path, *, most_runs: int = MOST_RUNS, most_bytes: int = MOST_BYTES) -> list[Kept]:
    """Remove the oldest runs beyond what is kept; those under way stay, and count.

    Args:
        runs: The folder of all runs' folders, whose names sort by time.
        most_runs: How many are kept.
        most_bytes: How large those that are kept may be together.

    Returns:
        What was removed, oldest first. What cannot be removed stays whole; of what can in part
        alone, the rest is no run any more, and goes next time.
    """
    count, count_bytes, removed = 0, 0, []
    for left in runs.glob(f"*{GOING}"):
        shutil.rmtree(left, ignore_errors=True)
    for one in reversed(kept(runs)):
        size_bytes = one.size_bytes  # while it is there
        is_beyond = count >= most_runs or count_bytes + size_bytes > most_bytes
        if is_beyond and not is_in_use(one.path):
            with suppress(OSError):
                going = one.path.rename(one.path.with_name(f"{one.name}{GOING}"))
                removed.append(one)
                shutil.rmtree(going, ignore_errors=True)
        else:
            count += 1
            count_bytes += size_bytes
    return removed[::-1]


def clear(runs: Path, *, most_runs: int = MOST_RUNS, most_bytes: int = MOST_BYTES) -> str | None:
    """Remove what is beyond; returns a sentence that names what that was, if it was anything."""
    removed = prune(runs, most_runs=most_runs, most_bytes=most_bytes)
    if not removed:
        return None
    names = ", ".join(one.name for one in removed)
    size_mb = sum(one.size_bytes for one in removed) / 1e6
    return (
        f"Removed {names} ({size_mb:.1f} MB) from {runs}: the newest {most_runs} runs are kept, "
        f"up to {most_bytes / 1e6:.0f} MB together."
    )
