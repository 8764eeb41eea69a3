from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.measures.ops import op
from tidemark.api.call import Kind
from tidemark.api.op import Outcome
from tidemark.measures.summary import summarise
from tidemark.percentiles import Spread

REFUSALS = frozenset({"busy", "insufficient-funds"})


def test_rates_are_of_what_was_done_over_the_whole_run() -> None:
    ops = [op(start_ms=0), op(start_ms=500), op(Outcome.INFO, start_ms=900, problem="lost")]
    ops.append(op(kind=Kind.QUERY, operation="account", start_ms=1_990, took_ms=10))
    summary = summarise(ops, REFUSALS)
    assert summary.duration_s == pytest.approx(2.0)
    assert summary.writes.per_s == pytest.approx(1.0)
    assert summary.reads.per_s == pytest.approx(0.5)


def test_refusals_stand_apart_from_errors() -> None:
    ops = [
        op(),
        op(Outcome.FAIL, problem="busy", status=409),
        op(Outcome.FAIL, problem="busy", status=409),
        op(Outcome.FAIL, problem="insufficient-funds", status=422),
        op(Outcome.FAIL, problem="malformed", status=400),
        op(Outcome.INFO, problem="http-500", status=500),
        op(Outcome.FAIL, problem="not-sent", status=None),
    ]
    summary = summarise(ops, REFUSALS)
    assert (summary.writes.ok, summary.writes.refused, summary.writes.errors) == (1, 3, 3)
    assert summary.refusals == {"busy": 2, "insufficient-funds": 1}
    assert summary.errors == {"fail malformed": 1, "info http-500": 1, "fail not-sent": 1}


def test_an_unknown_outcome_is_an_error_even_if_its_problem_is_a_refusals() -> None:
    summary = summarise([op(Outcome.INFO, problem="busy", status=500)], REFUSALS)
    assert summary.writes.refused == 0
    assert summary.errors == {"info busy": 1}


def test_failures_share_the_row_of_successes() -> None:
    ops = [op(took_ms=1), op(Outcome.FAIL, took_ms=9, problem="busy", status=409)]
    (row,) = summarise(ops, REFUSALS).operations
    assert row.latency == Spread(1.0, 9.0, 9.0, 9.0)


def test_a_call_without_an_answer_has_no_latency() -> None:
    ops = [op(took_ms=1), op(Outcome.INFO, took_ms=30_000, problem="lost", status=None)]
    assert summarise(ops, REFUSALS).writes.latency == Spread(1.0, 1.0, 1.0, 1.0)


def test_latency_counts_from_the_intended_start() -> None:
    assert summarise([op(took_ms=2, waited_ms=40)], REFUSALS).writes.latency == Spread(
        42.0, 42.0, 42.0, 42.0
    )


def test_the_share_of_errors_is_of_all_calls() -> None:
    ops = [op(), op(Outcome.FAIL, problem="busy"), op(Outcome.INFO, problem="lost"), op()]
    assert summarise(ops, REFUSALS).error_share == pytest.approx(0.25)
    assert summarise([], REFUSALS).error_share == 0


def test_replays_are_counted() -> None:
    assert summarise([op(), op(replayed=True)], REFUSALS).replayed == 1


def test_a_run_without_ops_is_empty() -> None:
    summary = summarise([], REFUSALS)
    assert summary.duration_s == 0
    assert summary.operations == []
    assert summary.writes.latency is None


@given(
    st.lists(
        st.builds(
            op,
            st.sampled_from(Outcome),
            kind=st.sampled_from(Kind),
            operation=st.sampled_from(["a", "b", "c"]),
            problem=st.sampled_from(["busy", "lost", "malformed"]),
        )
    )
)
def test_every_op_is_counted_once_in_its_operation_and_once_in_its_side(ops: list[object]) -> None:
    summary = summarise(ops, REFUSALS)  # type: ignore[arg-type]  # hypothesis infers objects
    sides = [summary.writes, summary.reads]
    for rows in (summary.operations, sides):
        assert sum(row.ok + row.refused + row.errors for row in rows) == len(ops)
    assert sum(summary.refusals.values()) == sum(row.refused for row in sides)
    assert sum(summary.errors.values()) == sum(row.errors for row in sides)
