"""The time that an invocation has, and AWS calls that end within it."""

import math
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError
from urllib3 import Timeout

from functions.adapters.clock import Clock


class Invocation(Protocol):
    """What Lambda says about an invocation."""

    @property
    def aws_request_id(self) -> str:
        """Its id."""

    def get_remaining_time_in_millis(self) -> int:
        """Return how long it may still take."""


class TimeIsUpError(BotoCoreError):
    """A request to AWS was not sent, because the invocation has no time left to wait for it."""

    fmt = "the invocation has no time left for another request"


class Budget:
    """The time that the current invocation has left; a function serves one at a time.

    Without an invocation, as in the init phase, there is no end to it.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._deadline_ms = math.inf

    def begin(self, invocation: Invocation, *, spare_ms: int) -> None:
        """Take the invocation's time, without what is kept for its answer (`spare_ms`).

        Beginning again with less to spare makes more of the same invocation's time usable.
        """
        left_ms = invocation.get_remaining_time_in_millis() - spare_ms
        self._deadline_ms = self._clock.now_ms() + left_ms

    def left_ms(self) -> float:
        """Return how long is left, in milliseconds; zero or less when the time is over."""
        return self._deadline_ms - self._clock.now_ms()

    def bound(self, client: Any, *, longest_ms: int) -> None:
        """Let each request of a boto3 client end within `longest_ms`, and in the time left.

        The client's own timeouts are for good, as botocore knows none per request; so those of
        its connection pool are set just before a request takes a connection from it. A silent
        service then costs what is left, and the pause before the SDK's next try, under a second.
        When the time is over, requests raise `TimeIsUpError` instead of being sent.
        """
        manager = client._endpoint.http_session._manager  # noqa: SLF001 - there is no public way

        def bound_next(request: Any, **_: Any) -> None:
            left_ms = min(longest_ms, self.left_ms())
            if left_ms <= 0:
                raise TimeIsUpError
            manager.connection_from_url(request.url).timeout = Timeout(total=left_ms / 1000)

        client.meta.events.register("before-send", bound_next)
