"""What belongs to a project: its folder and those above, as far as they are the same user's."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_REPOSITORY = ".git"
_ROOT = 0


def find_upwards(name: str | Path, start: Path) -> Path | None:
    """The nearest folder, at or above one, that holds a file of this name; ``None`` without one.

    What is above the project's repository, or in a folder of somebody else's, or put there by
    somebody else, does not count: what it names is run.
    """
    start = start.resolve()
    theirs = {os.geteuid(), _owner_of(start)}
    for at in (start, *start.parents):
        if _owner_of(at) not in theirs:
            break
        file = at / name
        if file.is_file() and _owner_of(file) in {*theirs, _ROOT}:
            return at
        if (at / _REPOSITORY).exists():
            break
    return None


def _owner_of(path: Path) -> int:
    return path.stat().st_uid
