"""How those did who made the calls of a run, and whether they, not the target, were the limit.

A second of a process is spent when it took 90 % of a core or more, or when its event loop was
more than 50 ms late in one look of a hundred. The generator was the limit when calls started
late or never, ten of them and 1 % at least, half of the late ones started in such seconds, and a
tenth of all seconds were such; in a closed loop, which cannot be late, when half of them were.
It was starved when most of its spent seconds were so though it took less than those 90 %: others
had the cores, and where the target is one of them, who of the two was the limit cannot be told.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

SPENT_CPU_SHARE = 0.9
SPENT_LOOP_LAG_MS = 50
_LATE_SHARE = 0.01
_LATE_CALLS = 10

LATE_MS = 100
"""A call that starts more than so long after it was intended to is late."""


@dataclass(frozen=True, slots=True)
class Health:
    """How the processes did that made the calls.

    Attributes:
        processes: How many there were.
        seconds: How many seconds of them were looked at.
        spent: How many of those were spent.
        cpu_share: The CPU time of a process, of its time: 1 is a core; of all processes.
        cpu_share_max: The same of the worst second.
        loop_lag_p99_ms: By how much event loops were late, in the worst look of 99 of 100 seconds.
        loop_lag_max_ms: By how much at most.
        late_in_spent: How many of the calls that started late did so in a second that was spent.
        was_limit: Whether the generator was the limit: alone, or with who shares its cores.
        was_starved: Whether it was so for others who had the cores.
    """

    processes: int
    seconds: int
    spent: int
    cpu_share: float
    cpu_share_max: float
    loop_lag_p99_ms: float
    loop_lag_max_ms: float
    late_in_spent: int
    was_limit: bool
    was_starved: bool


def health_of(run: duckdb.DuckDBPyConnection) -> Health:
    """Tell how the generator did.

    Args:
        run: A database with the tables of a run.
    """
    looked = run.execute(_SECONDS).fetchall()[0]
    processes, seconds, spent, busy, due, cpu, cpu_max, lag, lag_max = looked
    begun, late, late_in_spent = run.execute(_LATE).fetchall()[0]
    unsent = max(0, (due or 0) - begun)
    if due is None:
        was_limit = seconds > 0 and spent * 2 >= seconds
    else:
        is_late = late + unsent >= max(_LATE_CALLS, _LATE_SHARE * due)
        in_spent, of = (late_in_spent, late) if late else (spent, seconds)
        was_limit = is_late and in_spent * 2 >= of and spent * 10 >= seconds
    was_starved = was_limit and busy * 2 < spent
    return Health(
        processes=processes,
        seconds=seconds,
        spent=spent,
        cpu_share=cpu,
        cpu_share_max=cpu_max,
        loop_lag_p99_ms=lag,
        loop_lag_max_ms=lag_max,
        late_in_spent=late_in_spent,
        was_limit=was_limit,
        was_starved=was_starved,
    )


_BUSY = f"cpu_ns >= {SPENT_CPU_SHARE} * span_ns"
_SPENT = f"({_BUSY} OR loop_lag_p99_ns > {SPENT_LOOP_LAG_MS} * 1000000)"

_SECONDS = f"""
SELECT
    COUNT(DISTINCT writer), COUNT(*), COUNT(*) FILTER ({_SPENT}), COUNT(*) FILTER ({_BUSY}),
    SUM(due)::BIGINT,
    COALESCE(SUM(cpu_ns) / SUM(span_ns), 0),
    COALESCE(MAX(cpu_ns / span_ns), 0),
    COALESCE(quantile_disc(loop_lag_max_ns / 1e6, 0.99), 0),
    COALESCE(MAX(loop_lag_max_ns) / 1e6, 0)
FROM generator
"""  # noqa: S608 -- a text of ours

_LATE = f"""
SELECT
    COUNT(*),
    COUNT(*) FILTER (c.is_late),
    COUNT(*) FILTER (c.is_late AND g.is_spent)
FROM (
    SELECT writer, start_ns, start_ns - intended_ns > {LATE_MS * 1_000_000} AS is_late
    FROM ops WHERE purpose = 'load'
) c
ASOF LEFT JOIN (SELECT writer, at_ns, {_SPENT} AS is_spent FROM generator) g
ON g.writer = c.writer AND g.at_ns >= c.start_ns
"""  # noqa: S608 -- likewise
