"""A recorder that is killed makes verdicts unknown, and never a violation."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from tests.invariants import oracle
from tests.invariants.clean_runs import clean_run
from tests.invariants.database import Database
from tests.invariants.finding import commands, number_of
from tests.invariants.recorded import writer
from tidemark.invariants.judge import Verdict

if TYPE_CHECKING:
    from tests.invariants.bank import Row
    from tests.invariants.recorded import Tables

# In this order they are written; each may have come less far than the one before it.
_TABLES = ("ops", "account_reads", "page_reads", "page_lines", "totals_reads", "owner_reads")


def killed(tables: Tables, who: str, draw: random.Random) -> Tables:
    """A run of which one writer was killed: of each table its last rows are lost."""
    times = {number_of(op): op["end_ns"] for op in tables["ops"]}
    ends = sorted(time for number, time in times.items() if number[0] == who)
    lost_at = draw.randrange(len(ends))
    reached = {
        name: ends[min(lost_at + draw.randrange(3), len(ends) - 1)]
        for name in (*_TABLES, "snapshots")
    }

    def is_lost(name: str, row: Row) -> bool:
        at = row["taken_at_ms"] * 1_000_000 if name == "snapshots" else times[number_of(row)]
        return bool(row["writer"] == who and at >= reached[name])

    left = {name: [row for row in tables[name] if not is_lost(name, row)] for name in reached}
    closing = [
        row | {"closed": row["writer"] != who} if row["writer"] == who else row
        for row in tables["writers"]
    ]
    return tables | left | {"writers": closing}


@pytest.fixture(scope="module")
def database() -> Database:
    return Database(hashed=True)


@pytest.mark.parametrize("seed", range(6))
def test_nothing_is_held_against_a_run_whose_recorder_was_killed(
    database: Database, seed: int
) -> None:
    draw = random.Random(seed)  # noqa: S311 -- draws, no secrets
    tables = killed(clean_run(seed, steps=30), writer(seed % 2), draw)
    database.load(tables)

    judged = database.judge()

    assert [one.counterexamples for one in judged.values() if one.counterexamples] == []
    assert ("recorders that were killed", 1) in {
        (one.what, one.seen) for one in judged["I0"].evidence
    }
    assert {one: each.verdict for one, each in judged.items()} == oracle.verdicts(tables)
    lost = {event["event_id"] for event in tables["events"]} - {
        op["event_id"] for op in commands(tables)
    }
    if any(op["expected_version"] is not None for op in commands(tables)):
        assert judged["I10"].verdict is Verdict.UNKNOWN
    assert lost
