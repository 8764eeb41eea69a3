from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.invariants.database import Database
from tests.measures.calls import call, run_of, second
from tidemark.measures.figures import Backlog, Figures, Punctuality, figures_of
from tidemark.percentiles import Spread

if TYPE_CHECKING:
    from tests.invariants.bank import Row

REFUSALS = frozenset({"busy", "insufficient-funds"})


@cache
def database() -> Database:
    return Database()


def of(*ops: Row, **others: list[Row]) -> Figures:
    database().load(run_of(*ops, **others))
    return figures_of(database().connection, REFUSALS)


def test_rates_are_of_what_was_done_over_the_whole_run() -> None:
    ops = [call(), call(start_ms=500), call("info", start_ms=900, problem="lost", status=None)]
    ops.append(call(kind="query", operation="account", start_ms=1_990, took_ms=10))
    figures = of(*ops)
    assert figures.duration_s == pytest.approx(2.0)
    assert figures.writes.per_s == pytest.approx(1.0)
    assert figures.reads.per_s == pytest.approx(0.5)


def test_a_run_of_several_clocks_is_as_long_as_one_clock_says() -> None:
    writers = [
        {"writer": writer, "clock_offset_ns": offset_ns, "ops_begun": 1, "ops_written": 1}
        | {"clock_error_ns": 0, "closed": True}
        for writer, offset_ns in (("w1", 0), ("w2", 5 * 10**9))
    ]
    figures = of(
        call(took_ms=1_000),
        call(start_ms=6_000, took_ms=1_000, writer="w2"),
        # Of one that was killed no clock is known.
        call(start_ms=500, took_ms=1_000, writer="w3"),
        writers=writers,
    )
    assert figures.duration_s == pytest.approx(2.0)
    assert figures.writes.ok == 3


def test_refusals_stand_apart_from_errors() -> None:
    figures = of(
        call(),
        call("fail", problem="busy", status=409),
        call("fail", problem="busy", status=409),
        call("fail", problem="insufficient-funds", status=422),
        call("fail", problem="malformed", status=400),
        call("info", problem="http-500", status=500),
        call("info", problem="busy", status=500),
        call("fail", problem="not-sent", status=None),
    )
    assert (figures.writes.ok, figures.writes.refused, figures.writes.errors) == (1, 3, 4)
    assert figures.refusals == {"busy": 2, "insufficient-funds": 1}
    assert figures.errors == {
        "fail malformed": 1,
        "fail not-sent": 1,
        "info busy": 1,
        "info http-500": 1,
    }
    assert figures.error_share == pytest.approx(0.5)


def test_failures_share_the_row_of_successes_and_what_was_not_answered_has_no_latency() -> None:
    (row,) = of(
        call(took_ms=1),
        call("fail", took_ms=9, problem="busy", status=409),
        call("info", took_ms=30_000, problem="lost", status=None),
    ).operations
    assert row.latency == Spread.of([1.0, 9.0])


def test_latency_counts_from_the_intended_start_and_from_the_actual_one() -> None:
    writes = of(call(took_ms=2, waited_ms=40)).writes
    assert writes.latency == Spread.of([42.0])
    assert writes.latency_from_start == Spread.of([2.0])


def test_calls_that_set_up_poll_or_prove_are_no_load() -> None:
    others = [call(purpose=purpose) for purpose in ("setup", "poll", "test", "proof", "final")]
    assert of(call(), *others).writes.ok == 1


def test_keys_that_are_sent_again_are_counted_and_their_earlier_answers_too() -> None:
    figures = of(
        call(principal="p", key="k1"),
        call(principal="p", key="k1", replayed=True),
        call("info", principal="p", key="k1"),
        call(principal="q", key="k1"),
        call(kind="query", operation="account"),
    )
    assert (figures.retried, figures.writes.replayed) == (2, 1)
    # What makes no event is no throughput.
    assert (figures.writes.ok, figures.writes.sent) == (2, 4)


def test_what_begins_late_or_never_is_counted_over_all_who_call() -> None:
    figures = of(
        *(call(waited_ms=waited_ms) for waited_ms in (0, 100, 101)),
        call(waited_ms=900, writer="w2"),
        generator=[second(1, due=3), second(2, due=2), second(1, due=4, writer="w2")],
    )
    assert figures.punctuality == Punctuality(planned=9, late=2, unsent=5)


def test_a_call_that_was_under_way_at_the_end_is_none_too_many() -> None:
    figures = of(call(), call(), generator=[second(due=1)])
    assert figures.punctuality == Punctuality(planned=2, late=0, unsent=0)


def test_a_closed_loop_has_no_plan_to_keep_to() -> None:
    assert of(call(), generator=[second()]).punctuality is None


def test_the_backlog_is_the_most_that_was_seen_at_once() -> None:
    def seen(visible: int | None, in_flight: int | None, outbox: int) -> Row:
        queue = {"queue_visible": visible, "queue_in_flight": in_flight}
        return {"writer": "w1", "at_ns": 0, "outbox": outbox} | queue

    assert of(backlog=[seen(3, 1, 5), seen(0, 2, 7)]).backlog == Backlog(2, 4, 7)
    assert of(backlog=[seen(None, None, 7)]).backlog == Backlog(1, None, 7)
    assert of().backlog == Backlog(0, None, None)


def test_a_run_without_calls_is_empty() -> None:
    figures = of()
    assert (figures.duration_s, figures.sessions, figures.operations) == (0, 0, ())
    assert (figures.writes.latency, figures.error_share) == (None, 0)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    st.lists(
        st.builds(
            call,
            st.sampled_from(["ok", "fail", "info"]),
            kind=st.sampled_from(["command", "query"]),
            operation=st.sampled_from(["a", "b", "c"]),
            took_ms=st.integers(1, 10**6),
            problem=st.sampled_from(["busy", "lost", "malformed", None]),
        ),
        max_size=200,
    )
)
def test_every_call_is_counted_once_in_its_operation_and_once_in_its_side(ops: list[Row]) -> None:
    figures = of(*ops)
    sides = (figures.writes, figures.reads)
    for rows in (figures.operations, sides):
        assert sum(row.sent for row in rows) == len(ops)
    assert sum(figures.refusals.values()) == sum(row.refused for row in sides)
    assert sum(figures.errors.values()) == sum(row.errors for row in sides)
    for kind, side in zip(("command", "query"), sides, strict=True):
        took = [(one["end_ns"] - one["start_ns"]) / 1e6 for one in ops if one["kind"] == kind]
        assert side.latency == side.latency_from_start == Spread.of(took)
