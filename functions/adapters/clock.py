"""Time, identity and chance: everything uncertain that the functions use."""

import random
import time
import uuid


class Clock:
    """The machine's time, ids and chance: the one value through which a function is uncertain.

    Whoever wants a function to do the same twice hands it another one.
    """

    def now_ms(self) -> int:
        """Return the time in UTC milliseconds."""
        return time.time_ns() // 1_000_000

    def new_id(self) -> str:
        """Return an id that nobody else has."""
        return str(uuid.uuid4())

    def pause(self, duration_ms: int) -> None:
        """Wait: the only place where a function does."""
        time.sleep(duration_ms / 1000)

    def chosen(self, least: int, most: int) -> int:
        """Return an integer from `least` to `most`, both included, each as likely."""
        return random.randint(least, most)  # noqa: S311 - spreads load, guards no secret

    def jittered_ms(self, attempt: int, *, base_ms: int, longest_ms: int) -> int:
        """Return a random wait before retry number `attempt` (1, 2, ...), at least half its bound.

        The bound doubles with each attempt. Random waits keep writers that collided from colliding
        again
        (https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/).
        """
        bound = min(longest_ms, base_ms * 2 ** (attempt - 1))
        return self.chosen((bound + 1) // 2, bound)
