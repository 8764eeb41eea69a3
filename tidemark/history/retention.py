"""How many runs are kept, and how large they may be together."""

from __future__ import annotations

import shutil
from contextlib import suppress
from typing import TYPE_CHECKING

from tidemark.history.places import MANIFEST, is_in_use

if TYPE_CHECKING:
    from pathlib import Path

MOST_RUNS = 50
MOST_BYTES = 1_000_000_000


def clear(runs: Path, *, most_runs: int = MOST_RUNS, most_bytes: int = MOST_BYTES) -> str | None:
    """Remove the oldest runs beyond what is kept; those under way stay, and count.

    Args:
        runs: The folder of all runs' folders, whose names sort by time.
        most_runs: How many are kept.
        most_bytes: How large those that are kept may be together.

    Returns:
        A sentence that says what was removed; None if nothing was.
    """
    kept, kept_bytes, removed, removed_bytes = 0, 0, [], 0
    for path in sorted((one.parent for one in runs.glob(f"*/{MANIFEST}")), reverse=True):
        size_bytes = _size_bytes(path)
        is_beyond = kept >= most_runs or kept_bytes + size_bytes > most_bytes
        if is_beyond and not is_in_use(path):
            shutil.rmtree(path, ignore_errors=True)  # what is left is tried again by the next run
            removed.append(path.name)
            removed_bytes += size_bytes
        else:
            kept += 1
            kept_bytes += size_bytes
    if not removed:
        return None
    others = f" to {removed[0]}, {len(removed)} runs" if len(removed) > 1 else ""
    return (
        f"Removed {removed[-1]}{others} ({removed_bytes / 1e6:.1f} MB) from {runs}: the newest "
        f"{most_runs} runs are kept, up to {most_bytes / 1e6:.0f} MB together."
    )


def _size_bytes(path: Path) -> int:
    total = 0
    for one in path.rglob("*"):
        with suppress(FileNotFoundError):  # a file of a run that is under way
            total += one.stat().st_size
    return total
