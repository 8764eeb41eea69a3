"""Turns on one deployment: tests of several workers run beside each other, and a fault alone."""

from __future__ import annotations

import fcntl
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Turns:
    """Locks that all workers of a session share; of one that ends, the system takes them back.

    A test without workers beside it has every turn.
    """

    def __init__(self) -> None:
        self._turn: TextIO | None = None
        self._gate: TextIO | None = None
        self._is_beside_others = False

    @contextmanager
    def shared_in(self, folder: Path) -> Iterator[None]:
        """Share turns with all whose folder this is."""
        with (folder / "turn.lock").open("w") as turn, (folder / "gate.lock").open("w") as gate:
            self._turn, self._gate = turn, gate
            yield
            self._turn = self._gate = None

    @contextmanager
    def beside_others(self) -> Iterator[None]:
        """A turn for what others may run beside."""
        self._take(fcntl.LOCK_SH)
        self._is_beside_others = True
        try:
            yield
        finally:
            self._is_beside_others = False
            self._leave()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """A turn for what changes for all: it begins when the others' tests have ended."""
        self._leave()  # two that wait for each other's end would wait for ever
        self._take(fcntl.LOCK_EX)
        try:
            yield
        finally:
            self._leave()
            if self._is_beside_others:
                self._take(fcntl.LOCK_SH)

    def _take(self, kind: int) -> None:
        if self._turn is not None and self._gate is not None:
            # Who waits to be alone holds the gate, so that no others come in meanwhile.
            fcntl.flock(self._gate, fcntl.LOCK_EX)
            fcntl.flock(self._turn, kind)
            fcntl.flock(self._gate, fcntl.LOCK_UN)

    def _leave(self) -> None:
        if self._turn is not None:
            fcntl.flock(self._turn, fcntl.LOCK_UN)


TURNS = Turns()
"""The turns of this process."""
