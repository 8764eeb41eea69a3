"""Two runs compared: noise is no difference, and each measure knows which way is worse."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import pytest

from tests.invariants.database import Database
from tests.measures.runs_in_time import run
from tidemark.measures.comparison import Difference, compare
from tidemark.measures.noise import Interval, intervals_of
from tidemark.percentiles import percentile
from tidemark.workloads.bank_traffic import REFUSALS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.invariants.recorded import Tables


@cache
def database() -> Database:
    return Database()


def measures(tables: Tables) -> Mapping[str, Interval]:
    database().load(tables)
    return intervals_of(database().connection, REFUSALS)


def regressions(before: Tables, after: Tables, threshold: float = 0.1) -> set[str]:
    differences = compare(measures(before), measures(after), threshold)
    return {one.name for one in differences if one.is_regression}


def difference(name: str, before: Interval, after: Interval) -> Difference:
    return Difference(name, before, after, threshold=0.1)


def test_each_measure_is_exact_and_within_its_interval() -> None:
    tables = run(1)
    found = measures(tables)
    took = sorted(
        (row["end_ns"] - row["intended_ns"]) / 1e6
        for row in tables["ops"]
        if row["purpose"] == "load" and row["kind"] == "command" and row["status"] is not None
    )
    lags = sorted(row["projected_at_ms"] - row["recorded_at_ms"] for row in tables["events"])
    for part, share in (("p50_ms", 0.5), ("p95_ms", 0.95), ("p99_ms", 0.99)):
        assert found[f"write_{part}"].value == pytest.approx(percentile(took, share))
        assert found[f"lag_{part}"].value == percentile(lags, share)
    loaded = [row for row in tables["ops"] if row["purpose"] == "load"]
    seconds = (max(row["end_ns"] for row in loaded) - min(row["start_ns"] for row in loaded)) / 1e9
    done = [
        row
        for row in loaded
        if row["kind"] == "command" and row["outcome"] == "ok" and not row["replayed"]
    ]
    assert found["writes_per_s"].value == pytest.approx(len(done) / seconds)
    wrong = [
        row
        for row in loaded
        if row["outcome"] == "info" or (row["outcome"] == "fail" and row["problem"] not in REFUSALS)
    ]
    assert wrong
    assert found["error_share"].value == pytest.approx(len(wrong) / len(loaded))
    assert all(one.low <= one.value <= one.high for one in found.values())
    assert all(one.low < one.high for name, one in found.items() if "per_s" in name)


def test_a_run_has_the_same_intervals_whenever_it_is_asked() -> None:
    assert measures(run(1)) == measures(run(1))


def test_a_run_without_calls_has_no_measures() -> None:
    tables = run(1)
    assert measures(tables | {"ops": [], "events": []}) == {}


def test_equal_runs_do_not_differ() -> None:
    differences = compare(measures(run(1)), measures(run(1)), 0.0)
    assert not [one.name for one in differences if one.is_beyond_noise or one.change]


@pytest.mark.parametrize("seed", [2, 3, 4])
def test_the_same_run_by_another_chance_is_no_regression(seed: int) -> None:
    assert regressions(run(1), run(seed)) == set()


def test_slow_writes_are_named_and_nothing_else() -> None:
    assert regressions(run(1), run(2, write_ms=40)) == {
        "write_p50_ms", "write_p95_ms", "write_p99_ms"
    }  # fmt: skip


def test_fast_writes_are_no_regression() -> None:
    assert regressions(run(1), run(2, write_ms=10)) == set()


def test_a_greater_lag_is_named() -> None:
    assert regressions(run(1), run(2, lag_ms=100)) == {"lag_p50_ms", "lag_p95_ms", "lag_p99_ms"}


def test_a_lower_rate_is_worse_and_a_higher_one_is_not() -> None:
    assert regressions(run(1), run(2, hurry=0.4)) == {"reads_per_s", "writes_per_s"}
    assert regressions(run(1), run(2, hurry=2.5)) == set()


def test_what_is_worse_by_less_than_the_threshold_is_no_regression() -> None:
    assert regressions(run(1), run(2, write_ms=40), threshold=1.5) == set()


def test_a_percentage_point_more_of_errors_is_a_regression_from_none_too() -> None:
    none, some, few = Interval(0, 0, 0), Interval(0.02, 0.015, 0.03), Interval(0.005, 0.004, 0.006)
    assert difference("error_share", none, some).is_regression
    assert not difference("error_share", none, few).is_regression
    assert not difference("error_share", some, none).is_regression


def test_intervals_that_reach_into_each_other_are_noise() -> None:
    near, far = Interval(12, 9, 15), Interval(20, 17, 23)
    before = Interval(10, 7, 13)
    assert not difference("write_p50_ms", before, near).is_beyond_noise
    assert difference("write_p50_ms", before, far).is_beyond_noise
    assert difference("write_p50_ms", far, before).is_beyond_noise
