"""A thread of the system, also where gevent makes greenlets of them.

Locust's users are greenlets of one thread: what writes files among them would stop them all.
"""

from __future__ import annotations

import errno
import sys
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_LOOK_EVERY_S = 0.005


def lock() -> Any:
    """A lock of the system."""
    return _original("_thread", "allocate_lock")()


class Repeating:
    """Does something again and again in a thread of the system, until it is stopped.

    Args:
        do: What; it must not raise, and returns after how many seconds it is done again.
    """

    def __init__(self, do: Callable[[], float]) -> None:
        self._do = do
        self._going = lock()
        self._going.acquire()
        self._has_ended = False
        _original("_thread", "start_new_thread")(self._run, ())

    def _run(self) -> None:
        try:
            wait_s = 0.0
            while not self._going.acquire(timeout=max(0.0, wait_s)):
                wait_s = self._do()
        finally:
            self._has_ended = True

    def stop(self, within_s: float) -> None:
        """Let it end, and wait until it has.

        Args:
            within_s: How long it may take, in seconds.

        Raises:
            TimeoutError: It did not end.
        """
        if self._going.locked():
            self._going.release()
        until = time.monotonic() + within_s
        while not self._has_ended:
            if time.monotonic() > until:
                raise TimeoutError(errno.ETIMEDOUT, f"nothing was written for {within_s:g} s")
            time.sleep(_LOOK_EVERY_S)


def _original(module: str, name: str) -> Any:
    """A function of a module, as it was before gevent replaced it."""
    monkey = sys.modules.get("gevent.monkey")
    if monkey is None:
        return getattr(sys.modules[module], name)
    return monkey.get_original(module, name)
