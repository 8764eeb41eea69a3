"""Turns: much goes on side by side in one thread, and nothing holds up the rest."""

from collections.abc import Generator, Iterable
from operator import itemgetter

from functions.adapters.budget import Budget
from functions.adapters.clock import Clock

Lane = Generator[int, None, None]
"""What goes on in turns; it yields how long to wait before its next one, in milliseconds."""

_SHORTEST_TURN_MS = 200
"""A turn with less time than that would be cut off, and nobody would know what it did."""


def take_turns(lanes: Iterable[Lane], *, clock: Clock, budget: Budget) -> None:
    """Let every lane go on, a turn at a time, until all have ended or the time is over.

    Next is who need not wait, or not as long as others; among equals who has waited longest. So
    what contends goes to the end, and the pauses are only those that nobody can use.
    """
    waiting = [(0, lane) for lane in lanes]
    while waiting:
        due_ms, lane = earliest = min(waiting, key=itemgetter(0))
        wait_ms = max(0, due_ms - clock.now_ms())
        if budget.left_ms() - wait_ms < _SHORTEST_TURN_MS:
            return
        if wait_ms:
            clock.pause(wait_ms)
        waiting.remove(earliest)
        asked_ms = next(lane, None)
        if asked_ms is not None:
            waiting.append((clock.now_ms() + asked_ms, lane))
