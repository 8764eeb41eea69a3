from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidemark.percentiles import Spread, percentile

VALUES = st.lists(st.floats(0, 1e6), min_size=1, max_size=60)
SHARES = st.floats(0, 1, exclude_min=True)


@given(VALUES, SHARES)
def test_a_percentile_is_the_smallest_value_that_the_share_does_not_exceed(
    values: list[float], share: float
) -> None:
    found = percentile(sorted(values), share)
    wanted = share * len(values)
    assert found in values
    assert sum(value <= found for value in values) >= wanted
    smaller = [value for value in values if value < found]
    assert len(smaller) < wanted


@pytest.mark.parametrize(
    ("share", "value"), [(0.5, 50), (0.95, 95), (0.99, 99), (1.0, 100), (0.001, 1)]
)
def test_percentiles_of_a_hundred_values_are_their_ranks(share: float, value: int) -> None:
    assert percentile(list(range(1, 101)), share) == value


def test_a_single_value_is_every_percentile() -> None:
    assert Spread.of([3.0]) == Spread(*[3.0] * 7)


def test_no_values_have_no_spread() -> None:
    assert Spread.of([]) is None


@pytest.mark.parametrize(("values", "share"), [([], 0.5), ([1.0], 0.0), ([1.0], 1.1)])
def test_a_percentile_that_does_not_exist_is_an_error(values: list[float], share: float) -> None:
    with pytest.raises(ValueError, match="no percentile"):
        percentile(values, share)


@given(VALUES)
def test_a_spread_does_not_depend_on_the_order(values: list[float]) -> None:
    spread = Spread.of(values)
    assert spread == Spread.of(reversed(values))
    assert spread is not None
    assert spread.p50_ms <= spread.p95_ms <= spread.p99_ms <= spread.max_ms == max(values)
