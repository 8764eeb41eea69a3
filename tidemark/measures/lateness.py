"""How late the read side was: lag, visibility, stale reads and convergence, from a run's tables.

Percentiles are exact, by nearest rank. What is measured between two processes is corrected by
what is known of their clocks; what is smaller than the error of that is said to be so.

The projection lag of a run is that of its events, but for those that were made to set it up: a
load run opens its accounts in a burst, and how late that was says nothing of its rate. It is
defined here, and nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tidemark.percentiles import SHARES, Spread

if TYPE_CHECKING:
    from collections.abc import Iterable

    import duckdb

NEEDS = ("ops", "events", "faults", "writers", "settings")
"""The tables that it is taken from."""

WAITS_FOR = "~"
"""The session `c3~17` polls until it sees what the call 17 of the session `c3` wrote."""

LAGGING_EVENTS = """
    FROM events e
    WHERE NOT EXISTS (
        SELECT 1 FROM ops s WHERE s.purpose = 'setup' AND s.event_id = e.event_id
    )
"""
"""The events whose projection lag is the run's: a command to set it up was told none of them.

An event that no call was told of counts: its caller gave up waiting, so it may well be late.
"""

AGES_MS = (10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000)
"""Where the curve of visibility has its points."""


@dataclass(frozen=True, slots=True)
class Visible:
    """Of the reads at one age of the newest acknowledged version, how many saw it.

    Attributes:
        within_ms: The age at most, and more than that of the point before; None without bound.
        reads: How many reads there were.
        fresh: How many of them saw the version, or a newer one.
    """

    within_ms: int | None
    reads: int
    fresh: int


@dataclass(frozen=True, slots=True)
class Stale:
    """Of the reads without a token that could break a promise, how many did.

    Attributes:
        reads: How many could.
        stale: How many did.
    """

    reads: int
    stale: int


@dataclass(frozen=True, slots=True)
class Healed:
    """How long after a fault the read side had caught up.

    Attributes:
        fault: Its name.
        id: Which of them.
        converged_ms: From its end until all events from before were projected; None if never.
    """

    fault: str
    id: str
    converged_ms: int | None


@dataclass(frozen=True, slots=True)
class Lateness:
    """How late the read side of a run was.

    Attributes:
        events: How many events the log has.
        unprojected: How many of them are not projected; 0 where the log never says.
        lagging: Of how many events the lag is: of those that are projected, all but what was made
            to set the run up.
        lag: From recorded to projected, by the system's clocks.
        visibility: From the acknowledgement of a write to the end of the first read that saw it,
            by the clients' clocks. Of the writes that were polled for, if there are any; else of
            all: where nobody looked in between, it was visible earlier.
        sampled: How many writes were polled for.
        unread: How many of the acknowledged writes, or of those, no read saw.
        curve: How many reads were fresh, by the age of what they could have seen.
        own_writes: Reads of what the session itself had written.
        monotonic: Reads of what the session had read before.
        converged_ms: From the last write until all was projected; None if never, or no write.
        faults: The same for each fault that ended.
        clock_error_ms: By how much a time between two processes may be wrong.
    """

    events: int
    unprojected: int
    lagging: int
    lag: Spread | None
    visibility: Spread | None
    sampled: int
    unread: int
    curve: tuple[Visible, ...]
    own_writes: Stale
    monotonic: Stale
    converged_ms: int | None
    faults: tuple[Healed, ...]
    clock_error_ms: float


def lateness_of(run: duckdb.DuckDBPyConnection) -> Lateness:
    """Measure how late the read side of a run was.

    Args:
        run: A database with the tables of a run.
    """
    events, unprojected, converged_ms = _row(run, _EVENTS)
    lagging, lag = _row(run, _LAG)
    run.execute(_VERSIONS)
    unread, visibility = _row(run, _VISIBILITY)
    curve = _curve(run.execute(_AGES, [list(AGES_MS)]).fetchall())
    run.execute("DROP TABLE seen_versions")
    own, own_stale, again, again_stale = _row(run, _SESSIONS)
    return Lateness(
        events=events,
        unprojected=unprojected,
        lagging=lagging,
        lag=_spread(lag),
        visibility=_spread(visibility),
        sampled=0,
        unread=unread,
        curve=curve,
        own_writes=Stale(own, own_stale),
        monotonic=Stale(again, again_stale),
        converged_ms=converged_ms,
        faults=tuple(Healed(*row) for row in run.execute(_FAULTS).fetchall()),
        clock_error_ms=_row(run, _CLOCKS)[0],
    )


def with_samples(run: duckdb.DuckDBPyConnection, lateness: Lateness) -> Lateness:
    """Return it with the time to visibility of the writes that were polled for, if any were.

    Args:
        run: A database with the tables of the run; names of sessions must be as they were written.
        lateness: What was measured of all writes.
    """
    # To look for the polls of every write takes long, and most runs have none.
    if run.execute("SELECT 1 FROM ops WHERE purpose = 'poll' LIMIT 1").fetchone() is None:
        return lateness
    sampled, unread, visibility = _row(run, _SAMPLED)
    if not sampled:
        return lateness
    return replace(lateness, sampled=sampled, unread=unread, visibility=_spread(visibility))


def _row(run: duckdb.DuckDBPyConnection, query: str) -> Any:
    return run.execute(query).fetchall()[0]


def _spread(values_ms: Iterable[float] | None) -> Spread | None:
    return None if values_ms is None else Spread(*values_ms)


def _curve(rows: Iterable[tuple[int, int, int]]) -> tuple[Visible, ...]:
    counted = {step: (reads, fresh) for step, reads, fresh in rows}
    bounds = (*AGES_MS, None)
    return tuple(Visible(bound, *counted.get(at, (0, 0))) for at, bound in enumerate(bounds))


_PERCENTILES = f"quantile_disc(ms, {list(SHARES)})"

_CLOCKS = """
SELECT CASE WHEN COUNT(*) < 2 THEN 0 ELSE COALESCE(MAX(clock_error_ns), 0) * 2 / 1e6 END
FROM writers
WHERE ops_begun > 0
"""

_EVENTS = """
SELECT
    COUNT(*),
    CASE
        WHEN COUNT(projected_at_ms) = 0 AND EXISTS (
            SELECT 1 FROM settings WHERE name = 'views_only' AND value = 1
        ) THEN 0
        ELSE COUNT(*) FILTER (projected_at_ms IS NULL)
    END,
    CASE
        WHEN COUNT(*) = COUNT(projected_at_ms) THEN MAX(projected_at_ms) - MAX(recorded_at_ms)
    END
FROM events
"""

_LAG = f"""
SELECT COUNT(ms), {_PERCENTILES}
FROM (SELECT projected_at_ms - recorded_at_ms AS ms {LAGGING_EVENTS})
"""  # noqa: S608 -- a text of ours

# One clock for all: what the process's own says, less its offset. A retry's answer is no new
# write. Two measures need it, and it takes as long as either of them.
_VERSIONS = """
CREATE OR REPLACE TEMP TABLE seen_versions AS
SELECT
    o.aggregate,
    CASE WHEN o.reads = 'account_reads' THEN COALESCE(o.version, 0) ELSE o.version END AS version,
    MIN(CASE WHEN o.kind = 'command' THEN o.end_ns - w.clock_offset_ns END) AS written_ns,
    MIN(CASE WHEN o.reads = 'account_reads' THEN o.end_ns - w.clock_offset_ns END) AS read_ns
FROM ops o
JOIN writers w ON w.writer = o.writer
WHERE (o.kind = 'command' AND o.outcome = 'ok' AND NOT o.replayed)
    OR (o.reads = 'account_reads' AND o.rows_read = 1)
GROUP BY ALL
"""

# Who polls is the process that wrote: no other clock is needed.
_SAMPLED = f"""
SELECT COUNT(*), COUNT(*) FILTER (ms IS NULL), {_PERCENTILES}
FROM (
    SELECT
        MIN(CASE WHEN p.end_ns < c.end_ns THEN 0 ELSE p.end_ns - c.end_ns END / 1e6) FILTER (
            p.reads = 'account_reads' AND p.rows_read = 1 AND COALESCE(p.version, 0) >= c.version
        ) AS ms
    FROM (
        SELECT writer, version, end_ns, CONCAT(session, '{WAITS_FOR}', seq) AS poller
        FROM ops
        WHERE kind = 'command' AND outcome = 'ok' AND NOT replayed
    ) c
    JOIN ops p ON p.writer = c.writer AND p.session::VARCHAR = c.poller
    WHERE p.purpose = 'poll'
    GROUP BY c.writer, c.poller
)
"""  # noqa: S608 -- a text of ours

# The first read of a version is the first that saw it or a newer one.
_VISIBILITY = f"""
SELECT COUNT(*) FILTER (ms IS NULL), {_PERCENTILES}
FROM (
    SELECT CASE WHEN read_ns < written_ns THEN 0 ELSE read_ns - written_ns END / 1e6 AS ms
    FROM (
        SELECT
            written_ns,
            MIN(read_ns) OVER (
                PARTITION BY aggregate ORDER BY version
                ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING
            ) AS read_ns
        FROM seen_versions
    )
    WHERE written_ns IS NOT NULL
)
"""  # noqa: S608 -- a text of ours

# How old the newest acknowledged version of its account was when a read began. Polls ask until
# they see what they wait for: they would make any read look late.
_AGES = """
WITH raised AS (
    SELECT aggregate, version, written_ns
    FROM (
        SELECT *, MAX(version) OVER (
            PARTITION BY aggregate ORDER BY written_ns, version
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS before
        FROM seen_versions
        WHERE written_ns IS NOT NULL
    )
    WHERE before IS NULL OR version > before
),
reads AS (
    SELECT
        o.aggregate, COALESCE(o.version, 0) AS version, o.start_ns - w.clock_offset_ns AS start_ns
    FROM ops o
    JOIN writers w ON w.writer = o.writer
    WHERE o.reads = 'account_reads' AND o.rows_read = 1
        AND o.token IS NULL AND o.purpose NOT IN ('poll', 'final')
)
SELECT
    len(list_filter($1, lambda bound: bound * 1000000::BIGINT < r.start_ns - w.written_ns)) AS step,
    COUNT(*), COUNT(*) FILTER (r.version >= w.version)
FROM reads r
ASOF JOIN raised w ON w.aggregate = r.aggregate AND w.written_ns <= r.start_ns
GROUP BY step
"""

# In a session one call follows the other: no clock is needed.
_SESSIONS = """
SELECT
    COUNT(written), COUNT(*) FILTER (version < written),
    COUNT(read), COUNT(*) FILTER (version < read)
FROM (
    SELECT counts, version, MAX(wrote) OVER before AS written, MAX(saw) OVER before AS read
    FROM (
        SELECT
            hash(writer, session, aggregate) AS caller, seq,
            kind = 'query' AND token IS NULL AND purpose NOT IN ('poll', 'final') AS counts,
            COALESCE(version, 0) AS version,
            CASE WHEN kind <> 'query' THEN version END AS wrote,
            CASE WHEN kind = 'query' THEN COALESCE(version, 0) END AS saw
        FROM ops
        WHERE (kind = 'command' AND outcome = 'ok') OR (reads = 'account_reads' AND rows_read = 1)
    )
    WINDOW before AS (
        PARTITION BY caller ORDER BY seq ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    )
)
WHERE counts
"""

_FAULTS = """
SELECT
    f.fault, f.id,
    CASE WHEN COALESCE(e.projected, 0) = COALESCE(e.recorded, 0)
        THEN GREATEST(COALESCE(e.last_ms, 0) - f.end_ns // 1000000, 0) END
FROM faults f
ASOF LEFT JOIN (
    SELECT
        recorded_at_ms, COUNT(*) OVER earlier AS recorded,
        COUNT(projected_at_ms) OVER earlier AS projected,
        MAX(projected_at_ms) OVER earlier AS last_ms
    FROM events
    WHERE EXISTS (SELECT 1 FROM faults WHERE end_ns IS NOT NULL)
    WINDOW earlier AS (ORDER BY recorded_at_ms)
) e ON e.recorded_at_ms * 1000000 <= f.end_ns
WHERE f.end_ns IS NOT NULL
ORDER BY f.end_ns, f.fault, f.id
"""
