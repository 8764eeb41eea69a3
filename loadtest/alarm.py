"""Wakes greenlets when they are due, to some microseconds.

gevent's loop waits by whole milliseconds on Linux, where it stands on epoll: all that is due within
one would begin together at its end, and be late behind each other. A timer of the system that the
loop waits for as for a socket has no such unit (timerfd_create(2)).
"""

from __future__ import annotations

import ctypes
import itertools
import os
import sys
import time
from contextlib import suppress
from functools import cache
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any

import gevent  # type: ignore[import-untyped]  # it ships no types
from gevent import get_hub, getcurrent

if TYPE_CHECKING:
    from collections.abc import Callable

_NS = 1_000_000_000
_READABLE = 1
# TFD_TIMER_ABSTIME: an instant of the clock, not a time from now.
_AT_AN_INSTANT = 1


class Alarm:
    """A timer of the system, and the greenlets that sleep until it rings."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._timer = self._libc.timerfd_create(time.CLOCK_MONOTONIC, os.O_NONBLOCK | os.O_CLOEXEC)
        if self._timer < 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        self._asleep: list[tuple[int, int, Any]] = []
        self._number = itertools.count()
        self._ringing = get_hub().loop.io(self._timer, _READABLE, ref=False)
        self._ringing.start(self._wake)

    def sleep(self, seconds: float) -> None:
        """Let others go on for so long."""
        at_ns = time.monotonic_ns() + int(seconds * _NS)
        sleeper = [getcurrent().switch]
        heappush(self._asleep, (at_ns, next(self._number), sleeper))
        if self._asleep[0][0] == at_ns:
            self._set(at_ns)
        try:
            get_hub().switch()
        finally:
            sleeper.clear()  # who was called away is not woken later

    def _wake(self) -> None:
        with suppress(BlockingIOError):  # it was set anew since
            os.read(self._timer, 8)
        while self._asleep and self._asleep[0][0] <= time.monotonic_ns():
            _, _, sleeper = heappop(self._asleep)
            if sleeper:
                sleeper[0]()
        if self._asleep:
            self._set(self._asleep[0][0])

    def _set(self, at_ns: int) -> None:
        once = (ctypes.c_long * 4)(0, 0, *divmod(at_ns, _NS))
        self._libc.timerfd_settime(self._timer, _AT_AN_INSTANT, once, None)


@cache
def punctual_sleep() -> Callable[[float], None]:
    """What lets a greenlet of this process sleep for some seconds, and no longer than that."""
    return Alarm().sleep if sys.platform == "linux" else gevent.sleep
