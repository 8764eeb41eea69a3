"""Time, identity and chance: everything uncertain that the functions use."""

import random
import time
import uuid


def now_ms() -> int:
    """Return the time in UTC milliseconds."""
    return time.time_ns() // 1_000_000


def new_id() -> str:
    """Return an id that nobody else has."""
    return str(uuid.uuid4())


def jittered_ms(attempt: int, *, base_ms: int, longest_ms: int) -> int:
    """Return a random wait before retry number `attempt` (1, 2, ...), at least half its bound.

    The bound doubles with each attempt. Random waits keep writers that collided from colliding
    again (https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/).
    """
    bound = min(longest_ms, base_ms * 2 ** (attempt - 1))
    return random.randint((bound + 1) // 2, bound)  # noqa: S311 - spreads load, guards no secret


def pause(duration_ms: int) -> None:
    """Wait: the only place where a function does."""
    time.sleep(duration_ms / 1000)
