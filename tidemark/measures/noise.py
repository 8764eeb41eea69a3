"""How far a measure of a run may be from what the same run, once more, would measure.

A bootstrap over time (Künsch, The Jackknife and the Bootstrap for General Stationary Observations,
1989): the run is cut into blocks of equal length, so that what belongs together in time stays
together, and runs made of blocks drawn from them, with replacement, are measured like the run
itself. The interval holds 95 % of what they measure. Draws depend on nothing but their place, so
that a run has the same intervals whenever it is asked.

What differs between one run and the next, such as what else the machine does, is in no interval.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tidemark.measures.lateness import LAGGING_EVENTS

if TYPE_CHECKING:
    from collections.abc import Collection

    import duckdb

NEEDS = ("ops", "events")
"""The tables that it is taken from."""

_BLOCKS = 20
_RUNS = 400


@dataclass(frozen=True)
class Interval:
    """A measure, and where it might have been.

    Attributes:
        value: What was measured.
        low: The lower end of the interval.
        high: The upper end.
    """

    value: float
    low: float
    high: float


def intervals_of(run: duckdb.DuckDBPyConnection, refusals: Collection[str]) -> dict[str, Interval]:
    """Return each measure that two runs can be compared by, under its name.

    `writes_per_s`, `reads_per_s` (done, per second), `error_share` (0 to 1), and `p50_ms`, `p95_ms`
    and `p99_ms` of `write_`, `read_` (from the intended start) and `lag_` (the projection lag).
    What the run has nothing of is left out.

    Args:
        run: A database with the tables of a run.
        refusals: The problems by which the system refuses as it should.
    """
    found = run.execute(_RATES, {"refusals": list(refusals)}).fetchall()
    found += run.execute(_PERCENTILES).fetchall()
    return {name: Interval(value, low, high) for name, value, low, high in sorted(found)}


# The runs that are drawn: how often each block is in each of them.
_DRAWN = f"""
drawn AS (
    SELECT r.range AS run, hash(r.range, b.range) % {_BLOCKS} AS block, COUNT(*) AS times
    FROM range({_RUNS}) r, range({_BLOCKS}) b
    GROUP BY ALL
)
"""  # noqa: S608 -- a text of ours

# What is measured is kept in the interval, for a drawn run is measured a little less exactly.
_INTERVAL = """
    LEAST(v.value, quantile_disc(d.value, 0.025)), GREATEST(v.value, quantile_disc(d.value, 0.975))
"""

_RATES = f"""
WITH {_DRAWN},
calls AS (
    SELECT
        kind = 'command' AS is_write, start_ns, outcome = 'ok' AND NOT replayed AS is_ok,
        outcome <> 'ok' AND NOT (
            outcome = 'fail' AND COALESCE(list_contains($refusals, problem), FALSE)
        ) AS is_error,
        MIN(start_ns) OVER () AS begin_ns,
        GREATEST(MAX(end_ns) OVER () - MIN(start_ns) OVER (), 1) AS length_ns
    FROM ops
    WHERE purpose = 'load'
),
blocks AS (
    SELECT
        LEAST(FLOOR((start_ns - begin_ns) / length_ns * {_BLOCKS}), {_BLOCKS - 1}) AS block,
        ANY_VALUE(length_ns) / 1e9 AS seconds,
        COUNT(*) AS calls,
        COUNT(*) FILTER (is_error) AS errors,
        COUNT(*) FILTER (is_write AND is_ok) AS writes,
        COUNT(*) FILTER (NOT is_write AND is_ok) AS reads
    FROM calls
    GROUP BY 1
),
runs AS (
    SELECT -1 AS run, block, 1 AS times FROM blocks
    UNION ALL
    SELECT run, block, times FROM drawn
),
counted AS (
    SELECT
        run, SUM(times * calls) AS calls, SUM(times * errors) AS errors,
        SUM(times * writes) AS writes, SUM(times * reads) AS reads, ANY_VALUE(seconds) AS seconds
    FROM runs JOIN blocks USING (block)
    GROUP BY run
),
measured AS (
    SELECT run, 'error_share' AS name, errors / calls AS value FROM counted
    UNION ALL
    SELECT run, 'writes_per_s', writes / seconds FROM counted
    UNION ALL
    SELECT run, 'reads_per_s', reads / seconds FROM counted
)
SELECT v.name, v.value, {_INTERVAL}
FROM measured v
JOIN measured d ON d.name = v.name AND d.run >= 0
WHERE v.run = -1 AND (v.name = 'error_share' OR v.value > 0)
GROUP BY v.name, v.value
"""  # noqa: S608 -- a text of ours

# Drawn runs are measured in steps of 1 %: then they are sums of the blocks' counts.
_PERCENTILES = f"""
WITH {_DRAWN},
seen AS (
    SELECT
        CASE kind WHEN 'command' THEN 'write' ELSE 'read' END AS side,
        intended_ns AS moment, (end_ns - intended_ns) / 1e6 AS ms
    FROM ops
    WHERE purpose = 'load' AND status IS NOT NULL
    UNION ALL
    SELECT 'lag', recorded_at_ms, projected_at_ms - recorded_at_ms
    {LAGGING_EVENTS} AND projected_at_ms IS NOT NULL
),
shares(part, share) AS (VALUES ('p50_ms', 0.5), ('p95_ms', 0.95), ('p99_ms', 0.99)),
exact AS (
    SELECT
        side, UNNEST(['p50_ms', 'p95_ms', 'p99_ms']) AS part,
        UNNEST(quantile_disc(ms, [0.5, 0.95, 0.99])) AS value
    FROM seen
    GROUP BY side
),
bounds AS (
    SELECT
        side, MIN(moment) AS begin_at,
        GREATEST(MAX(moment) - MIN(moment), 1) AS length
    FROM seen
    GROUP BY side
),
blocks AS (
    SELECT
        side, LEAST(FLOOR((moment - begin_at) / length * {_BLOCKS}), {_BLOCKS - 1}) AS block,
        FLOOR(LN(GREATEST(ms, 0.001)) * 100) AS step, COUNT(*) AS many
    FROM seen JOIN bounds USING (side)
    GROUP BY ALL
),
steps AS (
    SELECT side, run, step, SUM(many * times) AS many
    FROM blocks JOIN drawn USING (block)
    GROUP BY ALL
),
summed AS (
    SELECT
        side, run, step, SUM(many) OVER (PARTITION BY side, run ORDER BY step) AS upto,
        SUM(many) OVER (PARTITION BY side, run) AS whole
    FROM steps
),
measured AS (
    SELECT side, part, run, EXP((MIN(step) + 0.5) / 100) AS value
    FROM summed, shares
    WHERE upto >= share * whole
    GROUP BY ALL
)
SELECT v.side || '_' || v.part, v.value, {_INTERVAL}
FROM exact v
JOIN measured d USING (side, part)
GROUP BY v.side, v.part, v.value
"""  # noqa: S608 -- a text of ours
