"""The timeline of a counterexample has what touched its account, and says what it leaves out."""

from __future__ import annotations

import pytest

from tests.invariants.breaking import SEED, STEPS
from tests.invariants.clean_runs import clean_run
from tests.invariants.database import Database
from tidemark.invariants.judge import Counterexample
from tidemark.invariants.timeline import MOST_MOMENTS, timeline_of


@pytest.fixture(scope="module")
def database() -> Database:
    held = Database()
    held.load(clean_run(SEED, STEPS))
    return held


def example(aggregate: str, version: int | None = None, key: str | None = None) -> Counterexample:
    return Counterexample("", aggregate, version, None, key, None, None)


def test_a_call_without_an_answer_is_in_the_timeline_of_its_key(database: Database) -> None:
    aggregate, key, version, start_ns = database.connection.execute(
        "SELECT e.aggregate, e.key, e.version, o.start_ns FROM ops o "
        "JOIN events e ON e.key = o.key WHERE o.outcome = 'info' LIMIT 1"
    ).fetchall()[0]

    found = timeline_of(database.connection, example(aggregate, version, key))

    assert ("op", start_ns) in {(one.kind, one.at_ns) for one in found.moments}


def test_a_refusal_between_two_versions_is_in_their_timeline(database: Database) -> None:
    aggregate, version, start_ns = database.connection.execute(
        "SELECT o.aggregate, e.version, o.start_ns FROM ops o "
        "JOIN events e ON e.aggregate = o.aggregate AND e.version > 1 "
        "AND e.recorded_at_ms * 1000000 >= o.start_ns "
        "JOIN events b ON b.aggregate = e.aggregate AND b.version = e.version - 1 "
        "AND b.recorded_at_ms * 1000000 <= o.start_ns "
        "WHERE o.kind = 'command' AND o.outcome = 'fail' LIMIT 1"
    ).fetchall()[0]

    found = timeline_of(database.connection, example(aggregate, version))

    assert ("op", start_ns) in {(one.kind, one.at_ns) for one in found.moments}


def test_what_is_left_out_is_counted(database: Database) -> None:
    [(aggregate, _)] = database.connection.execute(
        "SELECT aggregate, COUNT(*) FROM ops WHERE aggregate IS NOT NULL GROUP BY 1 "
        "ORDER BY 2 DESC LIMIT 1"
    ).fetchall()

    found = timeline_of(database.connection, example(aggregate))

    assert len(found.moments) == MOST_MOMENTS
    assert found.left_out > 0
    assert found.note is not None
    assert found.note.startswith(f"{found.left_out} moments ")
