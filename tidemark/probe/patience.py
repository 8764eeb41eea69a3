"""The time of one row: waiting ends with it, and so does what the row made."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

from tidemark.host.waiting import NotSeenError, NotYetError, eventually
from tidemark.probe.cleanup import EndedRowError, Leftovers
from tidemark.probe.observation import NotSeenInTimeError

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class Patience:
    """A row's time, and what it leaves when that is over.

    Args:
        within_s: How long the row may take, in seconds.
        clock: Monotonic time in seconds.
    """

    def __init__(self, within_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.leftovers = Leftovers()
        self._clock = clock
        self._deadline = clock() + within_s

    @property
    def left_s(self) -> float:
        """How much of the row's time is left, in seconds; none once the row was given up."""
        return 0.0 if self.leftovers.is_closed else max(0.0, self._deadline - self._clock())

    def eventually(
        self, probe: Callable[[], T | None], *, what: str, within_s: float | None = None
    ) -> T:
        """Wait for a condition, at most until the row's deadline.

        Args:
            probe: See :func:`tidemark.host.waiting.eventually`.
            what: What is waited for.
            within_s: Wait at most so long, if that is sooner.

        Raises:
            NotSeenInTimeError: It was not seen in time.
        """
        bound_s = self.left_s if within_s is None else min(within_s, self.left_s)
        seen: list[str] = []

        def look() -> T | None:
            if self.leftovers.is_closed:
                raise EndedRowError(f"nobody waits for {what} any more")
            try:
                return probe()
            except NotYetError as not_yet:
                seen.append(str(not_yet))
                raise

        try:
            return eventually(look, within_s=bound_s, what=what)
        except NotSeenError as not_seen:
            raise NotSeenInTimeError(seen[-1] if seen else f"no sign of {what}") from not_seen

    def until(self, is_true: Callable[[], object], *, what: str, else_seen: str) -> None:
        """Wait until something is true.

        Args:
            is_true: Looks.
            what: What is waited for.
            else_seen: What there is to see instead.

        Raises:
            NotSeenInTimeError: It was not true in time.
        """

        def probe() -> bool:
            if is_true():
                return True
            raise NotYetError(else_seen)

        self.eventually(probe, what=what)

    def settle(self, look: Callable[[], T], *, for_s: float, what: str) -> T:
        """Look until nothing has changed for a while, and return what was seen last.

        Args:
            look: Returns what is seen now, or raises NotYetError when that cannot be the end.
            for_s: How long nothing must change, in seconds.
            what: What is waited for.

        Raises:
            NotSeenInTimeError: It kept changing, or did not come to an end.
        """
        last: tuple[T] | None = None
        since = self._clock()

        def probe() -> tuple[T] | None:
            nonlocal last, since
            try:
                now = (look(),)
            except NotYetError:
                last = None
                raise
            if now != last:
                last, since = now, self._clock()
            return last if self._clock() - since >= for_s else None

        return self.eventually(probe, what=what)[0]
