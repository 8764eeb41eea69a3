"""Where a judge puts what does not fit its memory: a private folder, which no judge outlives."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_NAME = "tidemark-check-"


@contextmanager
def spilling() -> Iterator[Path]:
    """A folder of its own for as long as a block lasts; what killed judges left is removed."""
    root = Path(tempfile.gettempdir())
    for left in root.glob(f"{_NAME}*"):
        _remove_if_left(left)
    begun = Path(tempfile.mkdtemp(prefix=f".{_NAME}"))
    folder = root / begun.name.removeprefix(".")
    held = os.open(begun, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        begun.rename(folder)  # once it is held, so that no other judge takes it for left
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(held)


def _remove_if_left(folder: Path) -> None:
    with suppress(OSError):  # held, somebody else's, or gone by now
        held = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder)
        finally:
            os.close(held)
