from __future__ import annotations

from itertools import count

import pytest

from tidemark.host.waiting import NotSeenError, NotYetError, eventually


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.longest_s = 0.0

    def __call__(self) -> float:
        return self.now_s

    def sleep(self, pause_s: float) -> None:
        self.now_s += max(pause_s, 0.001)
        self.longest_s = max(self.longest_s, pause_s)


def test_what_is_there_is_returned_without_sleeping() -> None:
    clock = Clock()

    assert eventually(lambda: 0, within_s=5, what="it", clock=clock, sleep=clock.sleep) == 0
    assert clock.now_s == 0


def test_it_looks_again_until_it_is_there() -> None:
    clock, looks = Clock(), count(1)

    def probe() -> str | None:
        return "there" if next(looks) == 7 else None

    assert eventually(probe, within_s=5, what="it", clock=clock, sleep=clock.sleep) == "there"
    assert 0 < clock.now_s < 5


@pytest.mark.parametrize("kind", [NotYetError, AssertionError])
def test_the_deadline_says_what_was_waited_for_and_last_seen(kind: type[Exception]) -> None:
    clock = Clock()

    def probe() -> str | None:
        raise kind("depth 3")

    with pytest.raises(NotSeenError, match=r"Waited 2 s for an empty queue; last seen: depth 3\."):
        eventually(probe, within_s=2, what="an empty queue", clock=clock, sleep=clock.sleep)
    assert clock.now_s >= 2
    assert clock.longest_s <= 0.25


def test_it_looks_once_more_when_the_deadline_has_passed() -> None:
    clock = Clock()

    def probe() -> str | None:
        return "late" if clock() >= 2 else None

    assert eventually(probe, within_s=2, what="it", clock=clock, sleep=clock.sleep) == "late"


def test_an_error_of_the_probe_is_not_waited_out() -> None:
    def probe() -> str | None:
        raise KeyError("broken")

    with pytest.raises(KeyError):
        eventually(probe, within_s=2, what="it")


def test_a_missed_deadline_fails_a_test_as_an_assertion_does() -> None:
    assert issubclass(NotSeenError, AssertionError)
