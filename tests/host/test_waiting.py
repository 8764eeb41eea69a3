from __future__ import annotations

from functools import partial
from itertools import count
from typing import TYPE_CHECKING

import pytest

from tidemark.host.waiting import NotSeenError, NotYetError, eventually

if TYPE_CHECKING:
    from collections.abc import Callable


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


def test_a_probe_of_asserts_is_done_when_none_of_them_fails() -> None:
    clock, looks = Clock(), count(1)

    def three_parcels_are_here() -> None:
        for _ in range(2):
            assert looks
        with pytest.MonkeyPatch.context():
            assert next(looks) == 3

    eventually(three_parcels_are_here, clock=clock, sleep=clock.sleep)
    assert next(looks) == 4


def test_the_assert_that_failed_last_is_shown_and_what_the_probes_name_says() -> None:
    clock, looks = Clock(), count(1)

    def three_parcels_are_here() -> None:
        number = next(looks)
        assert number < 0, f"{number} parcels"

    with pytest.raises(
        NotSeenError, match=r"Waited 30 s for three parcels are here; last seen: \d+ parcels"
    ) as missed:
        eventually(three_parcels_are_here, clock=clock, sleep=clock.sleep)
    assert isinstance(missed.value.__cause__, AssertionError)
    assert f"{next(looks) - 1} parcels" in str(missed.value)


def test_a_probes_docstring_says_better_what_is_waited_for() -> None:
    def probe() -> None:
        """The parcel in its depot.

        However long that takes.
        """
        raise NotYetError("none")

    with pytest.raises(NotSeenError, match="for The parcel in its depot; last seen: none"):
        eventually(probe, within_s=0)


SEEN: list[str] = []


def nothing() -> str | None:
    return SEEN[0] if SEEN else None


def or_none() -> str | None:
    return nothing() or None


def early() -> str | None:
    if not SEEN:
        return None
    return nothing()


def asserting() -> str | None:
    assert not SEEN
    return nothing()


@pytest.mark.parametrize(
    "probe", [nothing, or_none, early, asserting, lambda: None, lambda: False, partial(nothing)]
)
def test_a_probe_that_may_return_something_is_not_done_with_nothing(
    probe: Callable[[], object],
) -> None:
    clock = Clock()

    with pytest.raises(NotSeenError, match="last seen: nothing"):
        eventually(probe, within_s=1, clock=clock, sleep=clock.sleep)


def test_a_lambda_is_named_by_where_it_stands() -> None:
    with pytest.raises(NotSeenError, match=r"for the lambda at test_waiting\.py:\d+; last seen"):
        eventually(lambda: None, within_s=0)


def test_a_missed_deadline_fails_a_test_as_an_assertion_does() -> None:
    assert issubclass(NotSeenError, AssertionError)
