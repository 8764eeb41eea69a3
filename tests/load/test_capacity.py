"""The search for the highest rate, against targets whose limit is known."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidemark.load.capacity import FINEST, Found, Search, Step, found_by

ROUNDING = 1.01
MOST_STEPS = 40


def searched(search: Search, limit: float, noise: float = 0.0, seed: int = 0) -> list[Step]:
    """The steps against a target that takes so many calls a second, give or take its noise."""
    chance = Random(seed)  # noqa: S311 -- no secret
    steps: list[Step] = []
    while (rate := search.next_rate(steps)) is not None:
        takes = limit * (1 + chance.uniform(-noise, noise))
        steps.append(Step(rate, passed=rate <= takes))
    return steps


limits = st.floats(2, 4_000)
starts = st.floats(1, 500)
noises = st.floats(0, 0.4)
resolutions = st.floats(FINEST, 2)


@settings(deadline=None)
@given(limit=limits, start=starts, noise=noises, resolution=resolutions, seed=st.integers())
def test_it_ends_within_its_resolution_of_the_limit(
    limit: float, start: float, noise: float, resolution: float, seed: int
) -> None:
    search = Search(start, most=10_000, resolution=resolution, most_steps=MOST_STEPS)
    steps = searched(search, limit, noise, seed)
    found = found_by(steps)
    assert search.is_settled(steps)
    assert found.rate is not None
    assert found.rate <= limit * (1 + noise)
    assert found.rate * resolution * ROUNDING >= limit * (1 - noise)


@settings(deadline=None)
@given(
    limit=st.floats(0.01, 100_000),
    start=starts,
    noise=noises,
    seed=st.integers(),
    most_steps=st.integers(1, 20),
)
def test_what_it_reports_never_failed_however_early_it_ends(
    limit: float, start: float, noise: float, seed: int, most_steps: int
) -> None:
    search = Search(start, most=2_000, most_steps=most_steps)
    steps = searched(search, limit, noise, seed)
    found = found_by(steps)
    assert len(steps) <= most_steps
    assert all(search.least <= one.rate <= search.most for one in steps)
    if found.rate is None:
        assert not any(one.passed for one in steps[-1:])
    else:
        at_or_below = [one for one in steps if one.rate <= found.rate]
        assert all(one.passed for one in at_or_below)
        passes = sum(one.rate == found.rate for one in steps)
        assert found.is_repeated == (passes >= 2)
        assert found.is_repeated or not search.is_settled(steps)


@settings(deadline=None)
@given(limit=limits, start=starts, noise=noises, seed=st.integers(), cut=st.integers(0, 20))
def test_it_goes_on_from_any_step_as_if_it_had_never_stopped(
    limit: float, start: float, noise: float, seed: int, cut: int
) -> None:
    search = Search(start, most=10_000)
    steps = searched(search, limit, noise, seed)
    so_far = steps[: min(cut, len(steps) - 1)]
    assert search.next_rate(so_far) == steps[len(so_far)].rate


def test_a_steady_target_takes_a_dozen_steps() -> None:
    steps = searched(Search(18, most=10_000), limit=97)
    assert [one.rate for one in steps] == [18, 36, 72, 144, 102, 85.7, 93.5, 93.5]
    assert found_by(steps) == Found(93.5, 102, is_repeated=True)


def test_a_best_rate_that_fails_when_repeated_steps_down() -> None:
    search = Search(10, most=1_000, resolution=2)
    steps = [Step(10, passed=True), Step(20, passed=True), Step(40, passed=False)]
    assert search.next_rate(steps) == 20
    steps.append(Step(20, passed=False))
    assert found_by(steps) == Found(10, 20, is_repeated=False)
    assert search.next_rate(steps) == 10


def test_the_highest_rate_there_may_be_is_repeated_and_no_more_is_tried() -> None:
    steps = searched(Search(600, most=1_000), limit=5_000)
    assert [one.rate for one in steps] == [600, 1_000, 1_000]
    assert found_by(steps) == Found(1_000, None, is_repeated=True)


def test_a_target_that_takes_nothing_is_given_up() -> None:
    search = Search(4, most=1_000, least=1)
    steps = searched(search, limit=0)
    assert [one.rate for one in steps] == [4, 2, 1]
    assert search.is_settled(steps)
    assert found_by(steps) == Found(None, 1, is_repeated=False)


@pytest.mark.parametrize("most_steps", [3, 5])
def test_a_limit_of_steps_is_no_end_of_its_own(most_steps: int) -> None:
    search = Search(1, most=10_000, most_steps=most_steps)
    steps = searched(search, limit=1_000)
    assert len(steps) == most_steps
    assert not search.is_settled(steps)
