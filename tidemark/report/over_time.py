"""A run over time, and how its times are spread, as charts."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from tidemark.invariants.views import UnreadableError, reading
from tidemark.measures import series
from tidemark.report.page import Chart, Note

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import duckdb

    from tidemark.measures.series import Struck

# What is drawn: title, unit, whether ten times as much is one step higher, how it is read, and
# the objectives of which a line is drawn.
_DRAWN: Mapping[str, tuple[str, str, bool, str, tuple[str, ...]]] = {
    "throughput": (
        "Throughput",
        "calls/s",
        False,
        "Not done: refused or failed. In doubt: no answer tells. The last step is seldom whole.",
        ("writes_per_s", "reads_per_s"),
    ),
    "latency": (
        "Latency",
        "ms",
        True,
        "From the intended start, by when calls were due.",
        ("write_p50_ms", "write_p99_ms", "read_p50_ms", "read_p99_ms"),
    ),
    "lag": (
        "Projection lag",
        "ms",
        True,
        "From recorded to projected, by when events were recorded.",
        ("lag_p50_ms", "lag_p99_ms", "lag_max_ms"),
    ),
    "backlog": ("Backlog", "at the end of each step", False, "What was waiting.", ("outbox_max",)),
    "queue": ("Queue", "messages", False, "The most that a sample saw.", ("queue_max",)),
    "generator": (
        "The load generator",
        "% of a core, ms",
        False,
        "Where it is spent, a latency is its own and not the target's.",
        (),
    ),
}
# How far the greatest value stands beyond the last percentile.
_BEYOND = 0.5


def over_time(
    run: duckdb.DuckDBPyConnection, slo: Iterable[Mapping[str, Any]]
) -> list[Note | Chart]:
    """The charts over time; what a run has nothing of is left out.

    Args:
        run: A database with the tables of the run.
        slo: Its objectives.
    """
    bounds = {one["measure"]: one["bound"] for one in slo}
    span = _span(run)
    if span is None:
        return []
    blocks: list[Note | Chart] = []
    for name, (title, unit, is_log, told, measures) in _DRAWN.items():
        try:
            with reading():
                found = series.CHARTS[name](run, span)
        except UnreadableError:
            blocks.append(Note(f"{title}: a table that it is taken from cannot be read."))
            continue
        if not found.is_empty:
            chart = Chart(
                name=name,
                title=title,
                unit=unit,
                columns=found.columns,
                rows=found.rows,
                is_log=is_log,
                bounds={one: bounds[one] for one in measures if one in bounds},
                told=told,
            )
            blocks.append(chart)
    if span.step_s > 1:
        blocks.insert(0, Note(f"Each point stands for {span.step_s} seconds."))
    return blocks


def spreads(run: duckdb.DuckDBPyConnection) -> list[Note | Chart]:
    """How latencies and the lag are spread, to the last percentile."""
    try:
        with reading():
            found = series.distributions(run)
    except UnreadableError:
        return [Note("A table that this is taken from cannot be read.")]
    if not found:
        return []
    labels = [f"p{100 * share:.6g}" for share in series.SHARES[:-1]] + ["max"]
    places = [-math.log10(1 - share) for share in series.SHARES[:-1]]
    places.append(places[-1] + _BEYOND)
    counted = ", ".join(f"{count:,} {name}" for name, (count, _) in found.items())
    return [
        Chart(
            name="distribution",
            title="Percentiles",
            unit="ms",
            columns=tuple(found),
            rows=list(zip(places, *(values for _, values in found.values()), strict=True)),
            labels=labels,
            is_log=True,
            told=f"Exact, by nearest rank, of {counted}.",
        )
    ]


def struck(run: duckdb.DuckDBPyConnection) -> list[Struck]:
    """The faults of a run; none where they cannot be read."""
    span = _span(run)
    try:
        with reading():
            return [] if span is None else series.struck(run, span)
    except UnreadableError:
        return []


def _span(run: duckdb.DuckDBPyConnection) -> series.Span | None:
    try:
        with reading():
            return series.span_of(run)
    except UnreadableError:
        return None
