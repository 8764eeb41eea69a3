"""What went on in a run second by second: one query for each chart, over the run's tables.

Times are seconds since the first call. Those of clients are corrected by what is known of their
clocks; those of events are by the system's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tidemark.measures.lateness import LAGGING_EVENTS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import duckdb

MOST_POINTS = 1_200
"""A longer run has wider steps, so that what is drawn stays small."""

_STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1_800, 3_600, 21_600, 86_400)


@dataclass(frozen=True, slots=True)
class Span:
    """The time that a run is drawn for.

    Attributes:
        begin_ns: When its first call was due, in UTC nanoseconds.
        steps: How many steps it has.
        step_s: How long each is, in seconds.
    """

    begin_ns: int
    steps: int
    step_s: int


@dataclass(frozen=True, slots=True)
class Series:
    """Values over time.

    Attributes:
        columns: What each value is.
        rows: A row for each step: the second at which it begins, and its values; none where
            nothing was.
    """

    columns: tuple[str, ...]
    rows: Sequence[tuple[float | None, ...]]

    @property
    def is_empty(self) -> bool:
        """Whether nothing was at any time."""
        return not any(value for row in self.rows for value in row[1:])


@dataclass(frozen=True, slots=True)
class Struck:
    """A fault, in time.

    Attributes:
        fault: Its name.
        begin_s: When it began, in seconds since the first call.
        end_s: When it had healed; None if that was not seen.
        fired: How often it had an effect.
        over_s: When it was over at the latest: it had healed, or the run had ended.
    """

    fault: str
    begin_s: float
    end_s: float | None
    fired: int
    over_s: float


# Preparing, waiting and the last reads are none of what a run was made for.
_CALLS = """
WITH calls AS (
    SELECT
        o.kind, o.outcome, o.replayed,
        o.intended_ns - w.clock_offset_ns AS intended_ns,
        o.start_ns - w.clock_offset_ns AS start_ns,
        o.end_ns - w.clock_offset_ns AS end_ns,
        -- As in a run's figures: what got no answer took nobody knows how long.
        CASE WHEN o.status IS NOT NULL THEN (o.end_ns - o.intended_ns) / 1e6 END AS ms
    FROM ops o
    LEFT JOIN (SELECT writer, MAX(clock_offset_ns) AS clock_offset_ns FROM writers GROUP BY writer)
        known ON known.writer = o.writer,
        LATERAL (SELECT COALESCE(known.clock_offset_ns, 0) AS clock_offset_ns) w
    WHERE o.purpose IN ('load', 'test')
)"""

_SPAN = f"""{_CALLS}
SELECT MIN(intended_ns), GREATEST(MAX(end_ns), (SELECT MAX(projected_at_ms) * 1000000 FROM events))
FROM calls
"""  # noqa: S608 -- a text of ours


def span_of(run: duckdb.DuckDBPyConnection) -> Span | None:
    """The time that a run is drawn for; None of one without calls.

    Args:
        run: A database with the tables of a run.
    """
    begin_ns, end_ns = run.execute(_SPAN).fetchall()[0]
    if begin_ns is None:
        return None
    seconds = (end_ns - begin_ns) // 1_000_000_000 + 1
    step_s = next((one for one in _STEPS_S if seconds <= one * MOST_POINTS), _STEPS_S[-1])
    return Span(begin_ns, min(-(-seconds // step_s), MOST_POINTS), step_s)


def throughput(run: duckdb.DuckDBPyConnection, span: Span) -> Series:
    """Calls per second: those that were due, and those that ended, by how they ended."""
    return _series(
        run,
        span,
        ("due", "writes done", "reads done", "not done", "in doubt"),
        f"""{_CALLS}
        SELECT i, {_per_s(5)}
        FROM (
            SELECT {_step("intended_ns")} AS i, 0 AS what FROM calls
            UNION ALL
            SELECT {_step("end_ns")}, CASE
                WHEN outcome = 'fail' THEN 3 WHEN outcome = 'info' THEN 4
                WHEN kind = 'command' THEN 1 ELSE 2 END
            FROM calls
            WHERE NOT replayed -- it made no event
        )
        GROUP BY i""",  # noqa: S608 -- a text of ours
        nothing=0,
    )


def latency(run: duckdb.DuckDBPyConnection, span: Span) -> Series:
    """From the intended start of calls to their end, in milliseconds, by when they were due."""
    return _series(
        run,
        span,
        ("writes p50", "writes p99", "reads p50", "reads p99"),
        f"""{_CALLS}
        SELECT {_step("intended_ns")} AS i,
            quantile_disc(ms, 0.5) FILTER (kind = 'command'),
            quantile_disc(ms, 0.99) FILTER (kind = 'command'),
            quantile_disc(ms, 0.5) FILTER (kind = 'query'),
            quantile_disc(ms, 0.99) FILTER (kind = 'query')
        FROM calls
        GROUP BY i""",  # noqa: S608 -- a text of ours
    )


def lag(run: duckdb.DuckDBPyConnection, span: Span) -> Series:
    """From recorded to projected, in milliseconds, by when events were recorded."""
    return _series(
        run,
        span,
        ("p50", "p99", "max"),
        f"""
        SELECT {_step("recorded_at_ms * 1000000")} AS i,
            quantile_disc(ms, 0.5), quantile_disc(ms, 0.99), MAX(ms)
        FROM (
            SELECT recorded_at_ms, projected_at_ms - recorded_at_ms AS ms
            {LAGGING_EVENTS} AND projected_at_ms IS NOT NULL
        )
        GROUP BY i""",  # noqa: S608 -- a text of ours
    )


def backlog(run: duckdb.DuckDBPyConnection, span: Span) -> Series:
    """What was waiting at the end of each step: calls due but not begun, events not projected."""
    return _series(
        run,
        span,
        ("events not yet projected", "calls due, not begun"),
        f"""{_CALLS},
        moved AS (
            SELECT {_step("intended_ns")} AS i, 0 AS events, 1 AS late FROM calls
            UNION ALL SELECT {_step("start_ns")}, 0, -1 FROM calls
            UNION ALL SELECT {_step("recorded_at_ms * 1000000")}, 1, 0 FROM events
            UNION ALL
            SELECT {_step("projected_at_ms * 1000000")}, -1, 0
            FROM events WHERE projected_at_ms IS NOT NULL
        ),
        summed AS (SELECT i, SUM(events) AS events, SUM(late) AS late FROM moved GROUP BY i)
        SELECT i, SUM(COALESCE(events, 0)) OVER so_far, SUM(COALESCE(late, 0)) OVER so_far
        FROM range(-1, $steps) steps (i) LEFT JOIN summed USING (i)
        WINDOW so_far AS (ORDER BY i)""",  # noqa: S608 -- a text of ours
    )


def queue(run: duckdb.DuckDBPyConnection, span: Span) -> Series:
    """The most that was seen waiting in the queue and under way from it, by samples."""
    return _series(
        run,
        span,
        ("in the queue", "in flight"),
        f"""
        SELECT {_step("at_ns")} AS i, MAX(queue_visible), MAX(queue_in_flight)
        FROM backlog
        GROUP BY i""",  # noqa: S608 -- a text of ours
    )


def generator(run: duckdb.DuckDBPyConnection, span: Span) -> Series:
    """How the processes that called did: CPU in percent of a core, lateness of the loop in ms."""
    return _series(
        run,
        span,
        ("CPU of the busiest process", "event loop late at most"),
        f"""
        SELECT {_step("at_ns")} AS i, MAX(100 * cpu_ns / span_ns), MAX(loop_lag_max_ns / 1e6)
        FROM generator
        GROUP BY i""",  # noqa: S608 -- a text of ours
    )


def struck(run: duckdb.DuckDBPyConnection, span: Span) -> list[Struck]:
    """The faults of a run, in order of time."""
    rows = run.execute(
        "SELECT fault, (start_ns - $begin) / 1e9, (end_ns - $begin) / 1e9, fired, "
        "COALESCE((end_ns - $begin) / 1e9, $length) FROM faults ORDER BY start_ns, fault, id",
        {"begin": span.begin_ns, "length": float(span.steps * span.step_s)},
    ).fetchall()
    return [Struck(*row) for row in rows]


SHARES = (0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.995, 0.999, 0.9995, 0.9999, 1.0)
"""The percentiles of a distribution; the last is the greatest value."""


def distributions(run: duckdb.DuckDBPyConnection) -> dict[str, tuple[int, list[float]]]:
    """How many values there are of each distribution, and their exact percentiles at `SHARES`.

    Writes and reads from their intended start, and the projection lag, in milliseconds; one
    without values is left out.
    """
    rows: list[Any] = run.execute(
        f"""{_CALLS}
        SELECT what, COUNT(ms), quantile_disc(ms, {list(SHARES)})
        FROM (
            SELECT CASE WHEN kind = 'command' THEN 'writes' ELSE 'reads' END AS what, ms FROM calls
            UNION ALL
            SELECT 'projection lag', projected_at_ms - recorded_at_ms
            {LAGGING_EVENTS} AND projected_at_ms IS NOT NULL
        )
        WHERE ms IS NOT NULL
        GROUP BY what ORDER BY what DESC"""  # noqa: S608 -- a text of ours
    ).fetchall()
    return {what: (count, values) for what, count, values in rows}


def _step(column: str) -> str:
    """The number of the step in which something was; what was before the first is its own."""
    return f"GREATEST(-1, LEAST($steps - 1, ({column} - $begin) // ($step_s * 1000000000::BIGINT)))"


def _per_s(columns: int) -> str:
    return ", ".join(f"COUNT(*) FILTER (what = {number}) / $step_s" for number in range(columns))


def _series(
    run: duckdb.DuckDBPyConnection,
    span: Span,
    columns: tuple[str, ...],
    query: str,
    nothing: float | None = None,
) -> Series:
    known = {"begin": span.begin_ns, "steps": span.steps, "step_s": span.step_s}
    named = {name: value for name, value in known.items() if f"${name}" in query}
    found = {row[0]: row[1:] for row in run.execute(query, named).fetchall()}
    empty = (nothing,) * len(columns)
    return Series(
        columns,
        [(at * span.step_s, *found.get(at, empty)) for at in range(span.steps)],
    )


CHARTS: dict[str, Callable[[duckdb.DuckDBPyConnection, Span], Series]] = {
    "throughput": throughput,
    "latency": latency,
    "lag": lag,
    "backlog": backlog,
    "queue": queue,
    "generator": generator,
}
"""What is drawn over time, by name."""
