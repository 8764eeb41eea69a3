from __future__ import annotations

from dataclasses import replace

import pytest

from tests.invariants.clean_runs import clean_run
from tests.measures.calls import call, second
from tests.measures.lateness_oracle import lateness
from tests.measures.test_figures import of
from tidemark.measures.lateness import Stale
from tidemark.measures.slo import MEASURES, measured, objectives
from tidemark.percentiles import Spread

BACKLOG = [{"writer": "w1", "at_ns": 0, "queue_visible": 2, "queue_in_flight": 1, "outbox": 4}]
FIGURES = of(
    call(took_ms=10, waited_ms=200),
    call(kind="query", operation="account", took_ms=5),
    generator=[second(due=4)],
    backlog=BACKLOG,
)
LATENESS = replace(
    lateness(clean_run(1, steps=10)),
    lag=Spread.of([40]),
    visibility=Spread.of([60]),
    own_writes=Stale(4, 1),
    monotonic=Stale(8, 1),
    converged_ms=70,
)


def test_every_measure_can_be_bounded_and_has_its_value() -> None:
    found = measured(FIGURES, LATENESS)

    assert found.keys() == set(MEASURES)
    assert {
        name: found[name]
        for name in (
            *("error_share", "late_share", "unsent_share", "stale_own_share", "went_back_share"),
            *("write_p99_ms", "write_from_start_p99_ms", "lag_p95_ms", "visibility_p99_9_ms"),
            *("converged_ms", "queue_max", "outbox_max"),
        )
    } == {
        "error_share": 0,
        "late_share": 0.25,
        "unsent_share": 0.5,
        "stale_own_share": 0.25,
        "went_back_share": 0.125,
        "write_p99_ms": 210,
        "write_from_start_p99_ms": 10,
        "lag_p95_ms": 40,
        "visibility_p99_9_ms": 60,
        "converged_ms": 70,
        "queue_max": 3,
        "outbox_max": 4,
    }


def test_what_a_run_has_no_value_of_is_left_out() -> None:
    assert measured(of(), None) == {"error_share": 0, "writes_per_s": 0, "reads_per_s": 0}


@pytest.mark.parametrize(
    ("measure", "bound", "met", "says"),
    [
        ("write_p99_ms", 210, True, "write_p99_ms is 210 ms and may be 210 ms"),
        ("write_p99_ms", 209, False, "write_p99_ms is 210 ms and may be 209 ms"),
        ("late_share", 0.2, False, "late_share is 25% and may be 20%"),
        ("outbox_max", 3, False, "outbox_max is 4 and may be 3"),
        ("writes_per_s", 101, False, "is 100 and should be 101"),
        ("writes_per_s", 100, True, "and should be 100"),
        ("lag_p99_ms", 1, None, "lag_p99_ms was not measured"),
    ],
)
def test_a_bound_is_the_most_that_may_be_and_of_a_rate_the_least(
    measure: str,
    bound: float,
    met: bool | None,  # noqa: FBT001 -- a column of the table above
    says: str,
) -> None:
    (one,) = objectives({measure: bound}, measured(FIGURES, None))

    assert one.met is met
    assert says in str(one)
