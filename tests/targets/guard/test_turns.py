"""Who runs, who waits, and who is sent away."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from tidemark.host.waiting import eventually
from tidemark.targets.guard.turns import Bounds, Turns

if TYPE_CHECKING:
    from collections.abc import Iterator

LONG_S = 60.0


@pytest.fixture
def callers() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor() as pool:
        yield pool


def as_it_waits(turns: Turns, callers: ThreadPoolExecutor) -> Future[bool]:
    """Have somebody ask for a turn, and return once they wait for it."""
    before = turns.waiting
    asked = callers.submit(turns.begin)
    eventually(lambda: turns.waiting > before, what="somebody waits")
    return asked


def test_who_comes_while_few_run_runs_at_once() -> None:
    turns = Turns(Bounds(usual=2, most=2, waiting=0))
    assert turns.begin()
    assert turns.begin()
    assert not turns.begin()
    turns.end()
    assert turns.begin()


def test_a_turn_that_ends_goes_to_who_has_waited_longest(callers: ThreadPoolExecutor) -> None:
    turns = Turns(Bounds(usual=1, most=1, patience_s=LONG_S, limit_s=LONG_S))
    assert turns.begin()
    first, second = as_it_waits(turns, callers), as_it_waits(turns, callers)

    turns.end()
    assert first.result(LONG_S)
    assert not second.done()
    turns.end()
    assert second.result(LONG_S)


def test_nobody_overtakes_those_who_wait(callers: ThreadPoolExecutor) -> None:
    turns = Turns(Bounds(usual=1, most=2, waiting=1, patience_s=LONG_S, limit_s=LONG_S))
    assert turns.begin()
    waiting = as_it_waits(turns, callers)

    assert not turns.begin()
    turns.end()
    assert waiting.result(LONG_S)


def test_who_has_waited_for_some_that_do_not_end_runs_beside_them() -> None:
    turns = Turns(Bounds(usual=1, most=3, patience_s=0, limit_s=0))
    assert [turns.begin() for _ in range(4)] == [True, True, True, False]
    turns.end()
    assert turns.begin()


def test_one_who_may_run_calls_the_next_who_may(callers: ThreadPoolExecutor) -> None:
    turns = Turns(Bounds(usual=2, most=2, patience_s=LONG_S, limit_s=LONG_S))
    assert turns.begin()
    assert turns.begin()
    waiting = [as_it_waits(turns, callers) for _ in range(2)]
    turns.end()
    turns.end()
    assert all(one.result(LONG_S) for one in waiting)
