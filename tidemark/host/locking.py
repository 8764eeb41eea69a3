"""One verb at a time in a state folder."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from tidemark.errors import NotStartedError
from tidemark.host.state import make_private

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LOCK = "lock"


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the state folder for a verb that changes what runs.

    The lock belongs to the process: it is gone when the process is, however that ended.

    Raises:
        NotStartedError: Another process holds it.
    """
    make_private(folder)
    path = folder / LOCK
    lock = FileLock(path)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        holder = path.read_text(encoding="utf-8", errors="replace").strip() or "unknown"
        raise NotStartedError(
            f"Another tidemark (process {holder}) is at work in {folder}: let it finish and try "
            "again."
        ) from None
    try:
        path.write_text(f"{os.getpid()}\n", encoding="utf-8")
        yield
    finally:
        lock.release()
