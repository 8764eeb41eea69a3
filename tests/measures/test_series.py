"""What is drawn over time, by queries, is what a slow and obvious reckoning in Python says."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import pytest

from tests.invariants.clean_runs import clean_run
from tests.invariants.database import Database
from tidemark.measures.series import (
    MOST_POINTS,
    SHARES,
    Span,
    backlog,
    distributions,
    lag,
    latency,
    span_of,
    struck,
    throughput,
)
from tidemark.percentiles import percentile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import duckdb

    from tests.invariants.bank import Row
    from tests.invariants.recorded import Tables

MS = 1_000_000
S = 1_000 * MS


@cache
def database() -> Database:
    return Database()


@cache
def slow_run() -> Tables:
    """A run of which everything takes ten times as long, and some calls begin late."""
    tables = clean_run(3, steps=60)
    ops = [dict(row) for row in tables["ops"]]
    begin_ns = min(row["start_ns"] for row in ops)
    for number, row in enumerate(ops):
        for name in ("intended_ns", "start_ns", "end_ns"):
            row[name] = begin_ns + 10 * (row[name] - begin_ns)
        row["intended_ns"] -= number % 7 * 300 * MS
        row["status"] = None if row["outcome"] == "info" else row["status"]
    events = [dict(row) for row in tables["events"]]
    for number, row in enumerate(events):
        row["recorded_at_ms"] = begin_ns // MS + 10 * (row["recorded_at_ms"] - begin_ns // MS)
        row["projected_at_ms"] = None if number % 9 == 4 else row["recorded_at_ms"] + 170 * number
    return tables | {"ops": ops, "events": events}


@pytest.fixture
def run() -> duckdb.DuckDBPyConnection:
    database().load(slow_run())
    return database().connection


def calls() -> list[Row]:
    return [row for row in slow_run()["ops"] if row["purpose"] in {"load", "test"}]


def whole(run: duckdb.DuckDBPyConnection) -> Span:
    span = span_of(run)
    assert span is not None
    return span


def by_step(span: Span, rows: Iterable[Row], at_ns: Callable[[Row], int]) -> list[list[Row]]:
    steps: list[list[Row]] = [[] for _ in range(span.steps)]
    for row in rows:
        steps[(at_ns(row) - span.begin_ns) // (span.step_s * S)].append(row)
    return steps


def spread(values: Iterable[float], share: float) -> float | None:
    ordered = sorted(values)
    return percentile(ordered, share) if ordered else None


def test_a_run_is_drawn_from_its_first_call_to_its_last_projection(
    run: duckdb.DuckDBPyConnection,
) -> None:
    span = whole(run)
    last_ns = max(
        *(row["end_ns"] for row in calls()),
        *((row["projected_at_ms"] or 0) * MS for row in slow_run()["events"]),
    )

    assert span.begin_ns == min(row["intended_ns"] for row in calls())
    assert span.step_s == 1
    assert span.steps == (last_ns - span.begin_ns) // S + 1 > 10


def test_calls_are_counted_when_they_were_due_and_when_they_ended(
    run: duckdb.DuckDBPyConnection,
) -> None:
    span = whole(run)
    due = by_step(span, calls(), lambda row: row["intended_ns"])
    ended = by_step(span, calls(), lambda row: row["end_ns"])

    def counted(rows: list[Row], outcome: str, kind: str | None = None) -> int:
        new = [row for row in rows if not row["replayed"]]
        return sum(row["outcome"] == outcome and kind in {None, row["kind"]} for row in new)

    assert throughput(run, span).rows == [
        (
            at,
            len(due[at]),
            counted(ended[at], "ok", "command"),
            counted(ended[at], "ok", "query"),
            counted(ended[at], "fail"),
            counted(ended[at], "info"),
        )
        for at in range(span.steps)
    ]


def test_latencies_stand_where_calls_were_due(run: duckdb.DuckDBPyConnection) -> None:
    span = whole(run)
    answered = [row for row in calls() if row["status"] is not None]

    def took(rows: list[Row], kind: str) -> list[float]:
        return [(row["end_ns"] - row["intended_ns"]) / 1e6 for row in rows if row["kind"] == kind]

    wanted = [(kind, share) for kind in ("command", "query") for share in (0.5, 0.99)]

    assert latency(run, span).rows == [
        (at, *(spread(took(rows, kind), share) for kind, share in wanted))
        for at, rows in enumerate(by_step(span, answered, lambda row: row["intended_ns"]))
    ]


def test_lags_stand_where_events_were_recorded(run: duckdb.DuckDBPyConnection) -> None:
    span = whole(run)
    projected = [row for row in slow_run()["events"] if row["projected_at_ms"] is not None]

    def lags(rows: list[Row]) -> list[float]:
        return [row["projected_at_ms"] - row["recorded_at_ms"] for row in rows]

    assert lag(run, span).rows == [
        (at, *(spread(lags(rows), share) for share in (0.5, 0.99, 1.0)))
        for at, rows in enumerate(by_step(span, projected, lambda row: row["recorded_at_ms"] * MS))
    ]


def test_the_backlog_is_what_was_waiting_at_the_end_of_a_second(
    run: duckdb.DuckDBPyConnection,
) -> None:
    span = whole(run)

    def waiting(rows: Iterable[tuple[int, int | None]], end_ns: int) -> int:
        return sum(since < end_ns and (until is None or until >= end_ns) for since, until in rows)

    events = [
        (
            row["recorded_at_ms"] * MS,
            None if row["projected_at_ms"] is None else row["projected_at_ms"] * MS,
        )
        for row in slow_run()["events"]
    ]
    begun = [(row["intended_ns"], row["start_ns"]) for row in calls()]
    ends = [(at, span.begin_ns + (at + 1) * S) for at in range(span.steps)]

    assert backlog(run, span).rows == [
        (at, waiting(events, end_ns), waiting(begun, end_ns)) for at, end_ns in ends
    ]


def test_percentiles_are_exact(run: duckdb.DuckDBPyConnection) -> None:
    found = distributions(run)
    for side, kind in (("writes", "command"), ("reads", "query")):
        took = [
            (row["end_ns"] - row["intended_ns"]) / 1e6
            for row in calls()
            if row["kind"] == kind and row["status"] is not None
        ]

        assert found[side] == (len(took), [spread(took, share) for share in SHARES])


def test_faults_stand_in_the_same_time(run: duckdb.DuckDBPyConnection) -> None:
    span = whole(run)
    (first, *_) = sorted(slow_run()["faults"], key=lambda row: int(row["start_ns"]))

    assert struck(run, span)[0].begin_s == (first["start_ns"] - span.begin_ns) / 1e9


def test_a_fault_that_was_not_seen_to_heal_lasts_to_the_end(run: duckdb.DuckDBPyConnection) -> None:
    span = whole(run)
    faults = [row | {"end_ns": None} for row in slow_run()["faults"]]
    with database().changed(slow_run() | {"faults": faults}):
        found = struck(run, span)

    assert {(one.end_s, one.over_s) for one in found} == {(None, span.steps * span.step_s)}


def test_a_long_run_has_wider_steps(run: duckdb.DuckDBPyConnection) -> None:
    ops = [dict(row) for row in slow_run()["ops"]]
    (last,) = [row for row in ops if row["end_ns"] == max(one["end_ns"] for one in calls())]
    last["end_ns"] += 3 * 3_600 * S
    with database().changed(slow_run() | {"ops": ops}):
        span = whole(run)
        rows = throughput(run, span).rows

    assert (span.step_s, len(rows)) == (10, span.steps)
    assert span.steps <= MOST_POINTS
    assert sum(row[1] or 0 for row in rows) * span.step_s == pytest.approx(len(calls()))


def test_of_a_run_without_calls_nothing_is_drawn(run: duckdb.DuckDBPyConnection) -> None:
    with database().changed(slow_run() | {"ops": []}):
        assert span_of(run) is None
        assert distributions(run).keys() == {"projection lag"}
