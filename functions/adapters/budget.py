"""The time that an invocation has."""

from typing import Protocol

from functions.adapters.clock import Clock


class Invocation(Protocol):
    """What Lambda says about an invocation."""

    @property
    def aws_request_id(self) -> str:
        """Its id."""

    def get_remaining_time_in_millis(self) -> int:
        """Return how long it may still take."""


class Budget:
    """The time that the current invocation has left; a function serves one at a time."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.deadline_ms = 0
        """When the invocation's work must be over (UTC ms)."""

    def begin(self, invocation: Invocation, *, spare_ms: int) -> None:
        """Take the invocation's time, without what is kept for its answer (`spare_ms`)."""
        left_ms = invocation.get_remaining_time_in_millis() - spare_ms
        self.deadline_ms = self._clock.now_ms() + left_ms

    def left_ms(self) -> int:
        """Return how long is left, in milliseconds; zero or less when the time is over."""
        return self.deadline_ms - self._clock.now_ms()
