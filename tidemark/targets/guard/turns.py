"""Turns: who runs, and who waits until another has ended."""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bounds:
    """How many of a kind there may be.

    Attributes:
        usual: That run at once.
        most: That run at once if somebody has waited for `patience_s`: the running ones may be
            waiting for something themselves, even for the one that waits here.
        waiting: That wait.
        patience_s: How long one waits to be among the usual number.
        limit_s: How long one waits at all.
    """

    usual: int
    most: int
    waiting: int = 64
    patience_s: float = 2.0
    limit_s: float = 5.0


class Turns:
    """The turns of a kind: who comes first runs first.

    Args:
        bounds: How many there may be.
    """

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._lock = threading.Lock()
        self._running = 0
        self._waiting: deque[threading.Condition] = deque()

    @property
    def waiting(self) -> int:
        """How many wait."""
        return len(self._waiting)

    def begin(self) -> bool:
        """Wait for a turn and take it; ``False`` if there are too many, or none ended in time."""
        with self._lock:
            if self._waiting or self._running >= self._bounds.usual:
                if len(self._waiting) >= self._bounds.waiting:
                    return False
                mine = threading.Condition(self._lock)
                self._waiting.append(mine)
                is_mine = self._wait(mine)
                self._waiting.remove(mine)
                if not is_mine:
                    return False
            self._running += 1
            self._call_next()
            return True

    def end(self) -> None:
        """Give a turn back."""
        with self._lock:
            self._running -= 1
            self._call_next()

    def _wait(self, mine: threading.Condition) -> bool:
        begun = time.monotonic()
        for until_s, bound in (
            (self._bounds.patience_s, self._bounds.usual),
            (self._bounds.limit_s, self._bounds.most),
        ):
            while not (self._waiting[0] is mine and self._running < bound):
                left_s = begun + until_s - time.monotonic()
                if left_s <= 0:
                    break
                mine.wait(left_s)
            else:
                return True
        return False

    def _call_next(self) -> None:
        """Only the first can have its turn now, as nobody has waited longer."""
        if self._waiting:
            self._waiting[0].notify()
