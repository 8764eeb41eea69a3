"""Turns on one deployment: tests of several workers run beside each other, and a fault alone."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import ReadWriteLock

if TYPE_CHECKING:
    from collections.abc import Iterator


class Turns:
    """A lock that all workers of a session share; of one that ends, the system takes it back.

    A test without workers beside it has every turn.
    """

    def __init__(self) -> None:
        self._lock: ReadWriteLock | None = None

    def share(self, folder: str | None) -> None:
        """Share turns with all whose folder this is; without one, there are no others."""
        if self._lock is None and folder is not None:
            self._lock = ReadWriteLock(Path(folder) / "turns.db", is_singleton=False)

    def close(self) -> None:
        """Share turns no more."""
        if self._lock is not None:
            self._lock.close()
        self._lock = None

    @contextmanager
    def beside_others(self) -> Iterator[None]:
        """A turn for what others may run beside."""
        if self._lock is None:
            yield
            return
        with self._lock.read_lock():
            yield

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Within such a turn, one for what changes for all: the others' tests have ended then."""
        if self._lock is None:
            yield
            return
        self._lock.release()  # two that wait for each other's end would wait for ever
        try:
            with self._lock.write_lock():
                yield
        finally:
            self._lock.acquire_read()


TURNS = Turns()
"""The turns of this process."""
