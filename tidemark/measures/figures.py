"""What the calls of a load run came to, by queries over the tables of its folder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tidemark.measures.generator import LATE_MS, Health, health_of
from tidemark.percentiles import SHARES, Spread

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    import duckdb

NEEDS = ("ops", "writers", "generator", "backlog")
"""The tables that they are taken from."""


@dataclass(frozen=True, slots=True)
class Row:
    """The calls of one operation, or of one side.

    Attributes:
        name: The operation, or `writes` or `reads`.
        ok: How many were done; of the answers to one command, the first alone.
        refused: How many the system refused as it should.
        errors: How many failed otherwise, or are unknown.
        replayed: How many were answered with an earlier answer.
        per_s: How many were done per second of the run.
        latency: From the intended start, of every call that got an answer, whatever it was.
        latency_from_start: The same from the actual start.
    """

    name: str
    ok: int = 0
    refused: int = 0
    errors: int = 0
    replayed: int = 0
    per_s: float = 0.0
    latency: Spread | None = None
    latency_from_start: Spread | None = None

    @property
    def sent(self) -> int:
        """How many there were."""
        return self.ok + self.refused + self.errors + self.replayed


@dataclass(frozen=True, slots=True)
class Punctuality:
    """How far the callers kept to the plan.

    Attributes:
        planned: How many calls were to start before the end.
        late: How many of them started more than `LATE_MS` after they were intended.
        unsent: How many never did.
    """

    planned: int
    late: int
    unsent: int


@dataclass(frozen=True, slots=True)
class Backlog:
    """What was on its way from the write side to the read side, by samples.

    Attributes:
        samples: How many there were.
        queue_max: The most messages in the queue, those in flight included; None without one.
        outbox_max: The most events that were not projected.
    """

    samples: int
    queue_max: int | None
    outbox_max: int | None


@dataclass(frozen=True, slots=True)
class Figures:
    """The calls of a run in numbers; those that set up, poll and prove do not count.

    Attributes:
        sessions: How many sessions called.
        duration_s: From the start of the first call to the end of the last.
        operations: One row each, writes first.
        writes: All writes.
        reads: All reads.
        refusals: How many were refused as they should be, by problem.
        errors: How many failed otherwise, by outcome and problem.
        retried: How many writes were sent with a key that had been sent before.
        punctuality: How far the plan was kept to; None of a closed loop.
        backlog: What was on its way.
        generator: How those who called did themselves.
    """

    sessions: int
    duration_s: float
    operations: tuple[Row, ...]
    writes: Row
    reads: Row
    refusals: Mapping[str, int]
    errors: Mapping[str, int]
    retried: int
    punctuality: Punctuality | None
    backlog: Backlog
    generator: Health

    @property
    def error_share(self) -> float:
        """How many of all calls were errors, from 0 to 1."""
        total = self.writes.sent + self.reads.sent
        return (self.writes.errors + self.reads.errors) / total if total else 0.0


def figures_of(run: duckdb.DuckDBPyConnection, refusals: Collection[str]) -> Figures:
    """Count and measure the calls of a load run.

    Args:
        run: A database with the tables of the run.
        refusals: The problems by which the system refuses as it should.
    """
    run.execute("CREATE OR REPLACE TEMP TABLE refusals AS SELECT UNNEST($1) AS name", [[*refusals]])
    run.execute(_CALLS)
    sessions, duration_s, late = run.execute(_WHOLE).fetchall()[0]
    operations, sides = [], {"command": Row("writes"), "query": Row("reads")}
    for kind, operation, *counts, latency, from_start in run.execute(_ROWS).fetchall():
        name = operation or sides[kind].name
        ok, refused, errors, replayed = counts
        per_s = ok / duration_s if duration_s else 0.0
        spreads = _spread(latency), _spread(from_start)
        row = Row(name, ok, refused, errors, replayed, per_s, *spreads)
        if operation is None:
            sides[kind] = row
        else:
            operations.append(row)
    problems: dict[bool, dict[str, int]] = {True: {}, False: {}}
    for is_refusal, problem, count in run.execute(_PROBLEMS).fetchall():
        problems[is_refusal][problem] = count
    return Figures(
        sessions=sessions,
        duration_s=duration_s,
        operations=tuple(operations),
        writes=sides["command"],
        reads=sides["query"],
        refusals=problems[True],
        errors=problems[False],
        retried=run.execute(_RETRIED).fetchall()[0][0],
        punctuality=_punctuality(run, sum(one.sent for one in sides.values()), late),
        backlog=Backlog(*run.execute(_BACKLOG).fetchall()[0]),
        generator=health_of(run),
    )


def _spread(values_ms: list[float] | None) -> Spread | None:
    return None if values_ms is None else Spread(*values_ms)


def _punctuality(run: duckdb.DuckDBPyConnection, begun: int, late: int) -> Punctuality | None:
    (due,) = run.execute("SELECT SUM(due)::BIGINT FROM generator").fetchall()[0]
    if due is None:
        return None
    # A call under way may have been intended for just after the end.
    return Punctuality(max(due, begun), late, max(0, due - begun))


_CALLS = """
CREATE OR REPLACE TEMP VIEW calls AS
SELECT
    writer, session, kind, operation, outcome, status, replayed, principal, key,
    COALESCE(problem, '') AS problem, intended_ns, start_ns, end_ns,
    outcome = 'fail' AND COALESCE(problem IN (SELECT name FROM refusals), FALSE) AS is_refusal
FROM ops
WHERE purpose = 'load'
"""

_WHOLE = f"""
SELECT
    COUNT(DISTINCT (c.writer, c.session)),
    COALESCE(
        MAX(c.end_ns - COALESCE(w.clock_offset_ns, 0))
        - MIN(c.start_ns - COALESCE(w.clock_offset_ns, 0)), 0
    ) / 1e9,
    COUNT(*) FILTER (c.start_ns - c.intended_ns > {LATE_MS * 1_000_000})
FROM calls c
LEFT JOIN writers w ON w.writer = c.writer
"""  # noqa: S608 -- a text of ours

_ROWS = f"""
SELECT
    kind, operation,
    COUNT(*) FILTER (outcome = 'ok' AND NOT replayed),
    COUNT(*) FILTER (is_refusal),
    COUNT(*) FILTER (outcome <> 'ok' AND NOT is_refusal),
    COUNT(*) FILTER (replayed),
    quantile_disc((end_ns - intended_ns) / 1e6, {list(SHARES)}) FILTER (status IS NOT NULL),
    quantile_disc((end_ns - start_ns) / 1e6, {list(SHARES)}) FILTER (status IS NOT NULL)
FROM calls
GROUP BY GROUPING SETS ((kind, operation), (kind))
ORDER BY kind, operation
"""  # noqa: S608 -- likewise

_PROBLEMS = """
SELECT
    is_refusal, CASE WHEN is_refusal THEN problem ELSE outcome || ' ' || problem END AS name,
    COUNT(*)
FROM calls
WHERE outcome <> 'ok'
GROUP BY is_refusal, name
ORDER BY COUNT(*) DESC, name
"""

_RETRIED = """
SELECT COALESCE(SUM(sent - 1), 0)::BIGINT
FROM (SELECT COUNT(*) AS sent FROM calls WHERE key IS NOT NULL GROUP BY principal, key)
"""

_BACKLOG = "SELECT COUNT(*), MAX(queue_visible + queue_in_flight), MAX(outbox) FROM backlog"
