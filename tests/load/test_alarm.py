"""Greenlets that sleep until they are due, by one timer of the system."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import gevent  # type: ignore[import-untyped]  # it ships no types
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from loadtest.alarm import Alarm

if TYPE_CHECKING:
    from collections.abc import Sequence

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="timerfd is a thing of Linux")

WITHIN_S = 10.0
MS = 1_000_000
GAPS = st.lists(st.integers(0, 4), min_size=1, max_size=8)


@settings(deadline=None, max_examples=25)
@given(GAPS)
@example([0, 0])
@example([4, 1, 4, 1])
def test_each_sleeps_until_it_is_due_and_the_first_due_wakes_first(gaps_ms: Sequence[int]) -> None:
    alarm, woken = Alarm(), []

    def sleep(due_ns: int) -> None:
        while (early_ns := due_ns - time.monotonic_ns()) > 0:
            alarm.sleep(early_ns / 1e9)
        woken.append((due_ns, time.monotonic_ns()))

    begin_ns = time.monotonic_ns() + 5 * MS
    dues_ns = [begin_ns + gap * MS for gap in gaps_ms]
    gevent.joinall([gevent.spawn(sleep, due) for due in dues_ns], WITHIN_S, raise_error=True)
    assert [due for due, _ in woken] == sorted(dues_ns)
    assert all(due <= at for due, at in woken)


def test_who_was_called_away_from_its_sleep_is_not_woken_later() -> None:
    alarm = Alarm()

    def sleep_twice() -> None:
        with gevent.Timeout(0.005, exception=False):
            alarm.sleep(0.02)
        gevent.get_hub().switch()

    called_away, other = gevent.spawn(sleep_twice), gevent.spawn(alarm.sleep, 0.04)
    other.join(WITHIN_S)
    assert other.successful()
    assert not called_away.ready()
    called_away.kill()


def test_who_is_due_sooner_than_all_who_sleep_is_not_kept_waiting_for_them() -> None:
    alarm = Alarm()
    late = gevent.spawn(alarm.sleep, WITHIN_S)
    gevent.sleep(0)
    soon = gevent.spawn(alarm.sleep, 0.01)
    soon.join(WITHIN_S / 2)
    assert soon.successful()
    assert not late.ready()
    late.kill()


def test_one_that_fails_when_it_wakes_keeps_nobody_asleep() -> None:
    alarm = Alarm()

    def fail() -> None:
        alarm.sleep(0.01)
        raise LookupError("on purpose")

    failing, other = gevent.spawn(fail), gevent.spawn(alarm.sleep, 0.02)
    other.join(WITHIN_S)
    assert isinstance(failing.exception, LookupError)
    assert other.successful()
