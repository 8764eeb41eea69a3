from __future__ import annotations

import math
import statistics
from collections import Counter
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tidemark.load.arrivals import Plan, Repeats, Stretch, draws

RATES = st.floats(0, 20)
STRETCHES = st.builds(Stretch, st.floats(0.5, 5), RATES, RATES)
PLANS = st.builds(
    Plan, st.lists(STRETCHES, min_size=1, max_size=4).map(tuple), st.text(), st.booleans()
)
REPEATS = st.builds(Repeats, st.floats(0.01, 1), st.just(lambda chance: chance < 0.3))


@settings(deadline=None)
@given(PLANS, st.none() | REPEATS, st.integers(1, 7))
def test_the_workers_together_send_the_plan_of_one(
    plan: Plan, repeats: Repeats | None, workers: int
) -> None:
    plan = replace(plan, repeats=repeats)
    alone = list(plan.arrivals())
    each = [list(plan.arrivals(worker, workers)) for worker in range(workers)]

    assert Counter(one for arrivals in each for one in arrivals) == Counter(alone)
    assert alone == list(plan.arrivals())
    for arrivals in (alone, *each):
        assert all(one.offset_s <= after.offset_s for one, after in pairwise(arrivals))


def test_each_fourth_command_comes_twice_the_first_among_them() -> None:
    once = Plan((Stretch(20, 10, 10),), "s", is_poisson=False)
    repeats = Repeats(0.25, lambda chance: chance < 0.5)
    commands = [one.number for one in once.arrivals() if repeats.is_command(one.chances[0])]
    came: dict[int, list[float]] = {}
    for one in replace(once, repeats=repeats).arrivals():
        came.setdefault(one.number, []).append(one.offset_s)
    twice = {number: at[1] - at[0] for number, at in came.items() if len(at) > 1}

    assert len(came) == len(list(once.arrivals()))
    assert list(twice) == commands[::4]
    # In turn: when the first has its answer, and while it is under way.
    assert [*twice.values()] == pytest.approx(([1.0, 0.0] * len(twice))[: len(twice)])


def test_what_would_come_a_second_time_after_the_end_comes_once() -> None:
    plan = Plan((Stretch(0.9, 10, 10),), "s", repeats=Repeats(1.0, lambda _: True))
    numbers = [one.number for one in plan.arrivals()]

    assert all(one.offset_s < plan.seconds for one in plan.arrivals())
    # The first is to come again a second later, and each other one at once.
    assert Counter(numbers) == {number: 1 + number % 2 for number in numbers}


@settings(deadline=None)
@given(PLANS)
def test_arrivals_come_in_order_within_the_plan(plan: Plan) -> None:
    arrivals = list(plan.arrivals())
    offsets = [one.offset_s for one in arrivals]

    assert [one.number for one in arrivals] == list(range(len(arrivals)))
    assert offsets == sorted(offsets)
    assert all(0 <= offset <= plan.seconds * (1 + 1e-9) for offset in offsets)


@settings(deadline=None)
@given(STRETCHES, st.floats(0, 1))
@example(Stretch(1.0, 0.0, 2e-143), 2e-143)
def test_the_instant_of_so_many_arrivals_expects_so_many(stretch: Stretch, share: float) -> None:
    arrivals = stretch.arrivals * share
    at_s = stretch.instant_of(arrivals)
    slope = (stretch.rate_to - stretch.rate_from) / stretch.seconds

    assert math.isclose(
        stretch.rate_from * at_s + slope / 2 * at_s**2, arrivals, rel_tol=1e-6, abs_tol=1e-6
    )


@settings(deadline=None)
@given(st.lists(STRETCHES, min_size=1, max_size=4).map(tuple))
def test_even_arrivals_are_as_many_as_the_rate_says(stretches: tuple[Stretch, ...]) -> None:
    expected = sum(stretch.arrivals for stretch in stretches)

    assert expected - 1 - 1e-6 <= len(list(Plan(stretches, "", is_poisson=False).arrivals()))
    assert len(list(Plan(stretches, "", is_poisson=False).arrivals())) <= expected + 1e-6


def test_even_arrivals_of_a_steady_rate_are_equally_far_apart() -> None:
    plan = Plan((Stretch(2, 10, 10),), "", is_poisson=False)

    assert [one.offset_s for one in plan.arrivals()] == pytest.approx(
        [number / 10 for number in range(1, 20)]
    )


def test_poisson_arrivals_vary_as_much_as_they_are_many() -> None:
    # Per second of a Poisson process, mean and variance of the number of arrivals are the rate.
    plan = Plan((Stretch(400, 20, 20),), "a seed")
    per_second = [0] * 400
    for arrival in plan.arrivals():
        per_second[int(arrival.offset_s)] += 1

    assert statistics.mean(per_second) == pytest.approx(20, rel=0.05)
    assert statistics.variance(per_second) == pytest.approx(20, rel=0.25)


def test_a_ramp_has_most_arrivals_at_its_end() -> None:
    plan = Plan((Stretch(100, 0, 40),), "a seed")
    offsets = [one.offset_s for one in plan.arrivals()]
    early = sum(offset < 50 for offset in offsets)

    assert early / len(offsets) == pytest.approx(0.25, abs=0.03)


@settings(deadline=None)
@given(st.text(), st.integers(0), st.integers(1, 8))
def test_draws_are_chances_and_those_of_a_place(seed: str, number: int, many: int) -> None:
    drawn = draws(seed, number, many)

    assert len(drawn) == many
    assert all(0 <= chance < 1 for chance in drawn)
    assert drawn == draws(seed, number, many)
    assert drawn != draws(seed, number + 1, many)


def test_more_draws_than_there_are_is_an_error() -> None:
    with pytest.raises(ValueError, match="8 draws"):
        draws("", 0, 9)
