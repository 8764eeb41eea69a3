"""The timeline of a counterexample: all that touched its account, its owner or its message."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import duckdb

if TYPE_CHECKING:
    from tidemark.invariants.judge import Counterexample

MOST_MOMENTS = 40
_NEAR = 1

# One row for each moment: when (UTC ns), the kind of thing, and what is said of it.
_MOMENTS = """
SELECT start_ns AS at_ns, 'op' AS kind, session AS who, operation AS what, version, event_id,
    CONCAT_WS(' ', outcome, status, problem,
        CASE WHEN replayed THEN '(replayed)' END,
        CASE WHEN token IS NOT NULL THEN CONCAT('with token ', token) END,
        CASE WHEN expected_version IS NOT NULL THEN CONCAT('pinned to ', expected_version) END
    ) AS said,
    key
FROM ops WHERE aggregate = $about OR owner = $about
UNION ALL
SELECT end_ns, 'answer', session, state, version, NULL, '', NULL
FROM account_reads WHERE aggregate = $about AND state IS NOT NULL
UNION ALL
SELECT recorded_at_ms * 1000000, 'event', 'log', effect, version, event_id, '', key
FROM events WHERE aggregate = $about OR owner = $about
UNION ALL
SELECT projected_at_ms * 1000000, 'projection', 'read model', 'projected', version, event_id,
    '', NULL
FROM events
WHERE (aggregate = $about OR owner = $about) AND projected_at_ms IS NOT NULL
UNION ALL
SELECT (SELECT MAX(end_ns) + 1 FROM ops), 'account', 'read model', state, version, NULL, 'at last',
    NULL
FROM accounts WHERE aggregate = $about
UNION ALL
SELECT at_ms * 1000000, 'delivery', message_id, outcome, version, event_id,
    CONCAT_WS(', ', CONCAT('receive ', COALESCE(receive_count, 1)),
        CASE WHEN attempts > 1 THEN CONCAT(attempts, ' attempts') END,
        CASE WHEN ambiguous THEN 'in doubt' END), NULL
FROM deliveries WHERE aggregate = $about OR message_id = $about
UNION ALL
SELECT at_ms * 1000000, 'invocation', request_id, 'given the message', NULL, NULL,
    CASE WHEN ended THEN '' ELSE 'never ended' END, NULL
FROM invocations WHERE message_id = $about
UNION ALL
SELECT d.at_ms * 1000000, 'healing', h.message_id, 'applied before', h.version, NULL, '', NULL
FROM healed h JOIN deliveries d USING (request_id, message_id) WHERE h.aggregate = $about
UNION ALL
SELECT taken_at_ms * 1000000, 'sample', 'one transaction',
    CONCAT('mark ', CASE WHEN projected_at_ms IS NULL THEN 'no' ELSE 'yes' END,
        ', line ', CASE WHEN has_line THEN 'yes' ELSE 'no' END,
        ', account at ', account_version), version, event_id, '', NULL
FROM snapshots WHERE aggregate = $about
UNION ALL
SELECT start_ns, 'fault', id, fault, NULL, event_id, 'begins', message_id
FROM faults
WHERE aggregate = $about OR message_id = $about OR (aggregate IS NULL AND message_id IS NULL)
UNION ALL
SELECT end_ns, 'fault', id, fault, NULL, event_id, 'has healed', message_id
FROM faults
WHERE (aggregate = $about OR message_id = $about OR (aggregate IS NULL AND message_id IS NULL))
    AND end_ns IS NOT NULL
ORDER BY 1, 2, 5
"""


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happened.

    Attributes:
        at_ns: When, in UTC nanoseconds by the clock of whoever wrote it down.
        kind: An op, an answer, an event, a projection, a delivery, an invocation, a healing, a
            sample, a fault, or the account as it is in the end.
        who: The session, the message or the part of the system.
        what: What it was.
        version: The version it is about.
        event_id: The event.
        said: How it ended.
        key: The idempotency key, or the message.
    """

    at_ns: int
    kind: str
    who: str
    what: str
    version: int | None
    event_id: str | None
    said: str
    key: str | None

    @property
    def cells(self) -> tuple[str, str, str, str, str]:
        """It as a row of a table: when, its kind, the version, what it was, and what else."""
        return (
            f"{datetime.fromtimestamp(self.at_ns / 1e9, UTC):%H:%M:%S.%f}"[:-3],
            self.kind,
            "" if self.version is None else f"v{self.version}",
            self.what,
            " ".join(part for part in (self.said, self.who, self.event_id) if part),
        )


@dataclass(frozen=True, slots=True)
class Timeline:
    """What touched what a counterexample is about.

    Attributes:
        moments: In time order.
        left_out: How many others there were: of other versions, or before these.
    """

    moments: tuple[Moment, ...] = ()
    left_out: int = 0

    @property
    def note(self) -> str | None:
        """What is not shown of it, as a sentence, if anything."""
        if not self.left_out:
            return None
        return f"{self.left_out} moments of other versions, or before these, are left out."


def timeline_of(run: duckdb.DuckDBPyConnection, example: Counterexample) -> Timeline:
    """What touched what a counterexample is about; the last of it where it is very much.

    Args:
        run: A database with the tables of a run.
        example: One that names an account or an owner, else a message; where it names a version,
            what concerns that or the versions beside it is told, and what was called meanwhile or
            with its key and came to no version: refused, or never answered.
    """
    about = example.aggregate or example.key
    try:
        rows: list[Any] = run.execute(_MOMENTS, {"about": about}).fetchall()
    except duckdb.Error:  # a table that the verdict does not need is torn
        return Timeline()
    moments = [Moment(*row) for row in rows]
    shown = moments if example.version is None else _near(moments, example, example.version)
    shown = shown[-MOST_MOMENTS:]
    return Timeline(tuple(shown), len(moments) - len(shown))


def _near(moments: list[Moment], example: Counterexample, version: int) -> list[Moment]:
    """Those of a version, of the versions beside it, and of none of them in the same time."""
    of_versions = [
        one.at_ns
        for one in moments
        if one.kind != "account" and one.version is not None and abs(one.version - version) <= _NEAR
    ]
    first, last = min(of_versions, default=0), max(of_versions, default=0)
    return [
        one
        for one in moments
        if one.kind == "fault"
        or (one.version is not None and abs(one.version - version) <= _NEAR)
        or (one.version is None and first <= one.at_ns <= last)
        or (one.key is not None and one.key == example.key)
    ]
