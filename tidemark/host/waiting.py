"""Waiting for a condition, with a deadline: the only place that sleeps."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

from tidemark.errors import TidemarkError

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

_FIRST_PAUSE_S = 0.01
_LONGEST_PAUSE_S = 0.25
_GROWTH = 1.5


class NotYetError(Exception):
    """Raised by a probe to say what it saw instead of what is waited for."""


class NotSeenError(TidemarkError, AssertionError):
    """The deadline passed first. An assertion error too, so that a test reads as failed."""


def eventually(
    probe: Callable[[], T | None],
    *,
    within_s: float,
    what: str,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> T:
    """Call a probe until it returns something, and return that.

    The probe is called at least once, and once more when the deadline has just passed, so
    that a slow machine does not turn a condition that holds into a failure.

    Args:
        probe: Returns what is waited for, or ``None`` while it is not there. Instead of
            ``None`` it may raise :class:`NotYetError` or ``AssertionError`` with what it saw.
        within_s: How long to wait, in seconds.
        what: What is waited for, as it completes "waited 5 s for ...".
        clock: Monotonic time in seconds.
        sleep: Pauses for so many seconds.

    Raises:
        NotSeenError: The deadline passed; the message says what was last seen.
    """
    deadline = clock() + within_s
    pause_s = _FIRST_PAUSE_S
    while True:
        is_last = clock() >= deadline
        seen = "nothing"
        try:
            found = probe()
        except (NotYetError, AssertionError) as not_yet:
            seen = str(not_yet) or type(not_yet).__name__
        else:
            if found is not None:
                return found
        if is_last:
            raise NotSeenError(f"Waited {within_s:g} s for {what}; last seen: {seen}.")
        sleep(max(0.0, min(pause_s, deadline - clock())))
        pause_s = min(pause_s * _GROWTH, _LONGEST_PAUSE_S)
