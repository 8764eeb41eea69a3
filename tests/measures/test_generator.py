from __future__ import annotations

import pytest

from tests.measures.calls import call, run_of, second
from tests.measures.test_figures import database
from tidemark.measures.generator import Health, health_of

FRESH, BUSY, SLOW = second(1, due=10), second(1, due=10, cpu_ms=900), second(1, due=10, lag_ms=51)
ON_TIME = [call(start_ms=500)] * 8


def health(*seconds: dict[str, object], late: int = 0, late_ms: float = 500) -> Health:
    calls = [*ON_TIME[late:], *[call(start_ms=late_ms, waited_ms=101)] * late]
    database().load(run_of(*calls, generator=[*seconds]))
    return health_of(database().connection)


def test_its_cpu_and_the_lag_of_its_event_loop_are_told() -> None:
    told = health(second(1, cpu_ms=100, lag_ms=2), second(2, cpu_ms=300, lag_ms=4, writer="w2"))
    assert (told.processes, told.seconds, told.spent) == (2, 2, 0)
    assert told.cpu_share == pytest.approx(0.2)
    assert told.cpu_share_max == pytest.approx(0.3)
    assert (told.loop_lag_p99_ms, told.loop_lag_max_ms) == (8, 8)


@pytest.mark.parametrize("spent", [BUSY, SLOW])
def test_calls_that_start_late_while_it_is_spent_are_its_own_fault(
    spent: dict[str, object],
) -> None:
    told = health(spent, late=12)
    assert (told.late_in_spent, told.was_limit) == (12, True)


def test_a_generator_that_waits_for_a_core_that_others_have_is_starved() -> None:
    slow = [SLOW | {"at_ns": at_s * 10**9} for at_s in (2, 3)]
    assert not health(BUSY, late=12).was_starved
    assert health(SLOW, late=12).was_starved
    assert not health(BUSY, slow[0], late=12).was_starved
    assert health(BUSY, *slow, late=12).was_starved
    assert not health(SLOW).was_starved, "all calls began in time"


def test_calls_that_start_late_while_it_is_fresh_are_the_targets_fault() -> None:
    assert not health(FRESH, late=12).was_limit
    # It was spent afterwards.
    assert not health(FRESH, BUSY | {"at_ns": 2 * 10**9}, late=12).was_limit


def test_a_few_late_calls_are_no_limit() -> None:
    assert not health(BUSY | {"due": 9}, late=9).was_limit
    assert health(BUSY | {"due": 10}, late=10).was_limit


def test_one_bad_second_of_many_is_no_limit() -> None:
    fresh = [FRESH | {"at_ns": at_s * 10**9, "due": 0} for at_s in range(2, 12)]
    assert health(BUSY, *fresh[:9], late=12).was_limit
    assert not health(BUSY, *fresh, late=12).was_limit


def test_a_generator_that_keeps_to_its_plan_is_no_limit_however_busy_it_is() -> None:
    seconds = BUSY | {"due": 8}
    assert not health(seconds).was_limit


def test_a_closed_loop_cannot_be_late_and_is_limited_by_a_generator_that_is_mostly_spent() -> None:
    closed = [one | {"due": None} for one in (BUSY, FRESH, FRESH)]
    assert health(*closed[:2]).was_limit
    assert not health(*closed).was_limit


def test_of_a_run_that_nobody_watched_nothing_is_said() -> None:
    assert health() == Health(0, 0, 0, 0, 0, 0, 0, 0, was_limit=False, was_starved=False)
