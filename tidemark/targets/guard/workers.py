"""How many invocations of one function run at once: as many as the machine can, not as many as ask.

Each runs in a process of its own, and all functions share what the emulator's account may have in
flight. So those of one function take turns, and however many there are, the others' get theirs.
"""

from __future__ import annotations

import os
import threading
from collections import defaultdict
from typing import Any

from ministack.services import lambda_svc

from tidemark.targets.guard.turns import Bounds, Turns

_LEAST = 2
# Commands, queries and the projection may be under load at once, and the schedule comes in.
_BUSY_FUNCTIONS = 3
_IN_FLIGHT = 32
# Those that do not end wait for something, most often for each other; more of them take memory.
_MOST_PER_CORE = 3


def bound_workers(bounds: Bounds | None = None) -> None:
    """Let the invocations of each function take turns, from now on and for good.

    Who gets none is throttled, as on AWS above the account's concurrency.

    Args:
        bounds: How many of one function there may be; when absent, one for each of the machine's
            cores, and three where those don't end, but no more than a third of all that the
            emulator has in flight.
    """
    within = bounds or _fitting(os.cpu_count() or _LEAST, lambda_svc._ACCOUNT_CONCURRENCY_CAP)  # noqa: SLF001 -- there is no public way
    turns: defaultdict[str, Turns] = defaultdict(lambda: Turns(within))
    looking = threading.Lock()
    acquire, release = lambda_svc._acquire_execution_slot, lambda_svc._release_execution_slot  # noqa: SLF001 -- likewise

    def turns_of(function: str) -> Turns:
        with looking:
            return turns[function]

    def acquire_in_turn(func: Any, config: Any) -> tuple[str | None, str | None]:
        own = turns_of(lambda_svc._inflight_key(config))  # noqa: SLF001 -- likewise
        if not own.begin():
            return None, "account"
        slot, limit = acquire(func, config)
        if slot is None:
            own.end()
        return slot, limit

    def release_in_turn(slot: str | None) -> None:
        release(slot)
        if slot is not None:
            turns_of(slot).end()

    lambda_svc._acquire_execution_slot = acquire_in_turn  # noqa: SLF001 -- likewise
    lambda_svc._release_execution_slot = release_in_turn  # noqa: SLF001 -- likewise


def _fitting(cores: int, in_flight: int) -> Bounds:
    share = max(_LEAST, (in_flight or _IN_FLIGHT) // _BUSY_FUNCTIONS)
    usual = max(_LEAST, min(cores, share))
    return Bounds(usual=usual, most=min(share, _MOST_PER_CORE * usual))
