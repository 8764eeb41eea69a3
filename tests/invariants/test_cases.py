"""Each thing that an invariant can say, and the history that makes it say so."""

from __future__ import annotations

import pytest

from tests.invariants import (
    cases_commands,
    cases_deliveries,
    cases_history,
    cases_reads,
    cases_sound,
    cases_states,
    oracle,
    sentences,
)
from tests.invariants.breaking import SEED, STEPS, Case, broken
from tests.invariants.clean_runs import clean_run
from tests.invariants.database import Database
from tidemark.invariants.catalog import catalog
from tidemark.invariants.judge import MOST_COUNTEREXAMPLES, Judgement, Verdict

_ALL = (cases_history, cases_commands, cases_states, cases_reads, cases_deliveries)
CASES = [case for cases in _ALL for case in cases.CASES]
DOUBTS = [case for cases in _ALL for case in cases.DOUBTS]
TOO_LITTLE = [case for cases in _ALL for case in cases.TOO_LITTLE]


def name_of(case: Case) -> str:
    return f"{case.invariant}: {case.says}"


@pytest.fixture(scope="module")
def database() -> Database:
    held = Database(hashed=True)
    held.load(clean_run(SEED, STEPS))
    return held


def judged(database: Database, case: Case, *, unclaimed: bool = False) -> Judgement:
    tables = broken(case.breaks)
    if unclaimed:
        tables["claims"] = []
    assert oracle.verdicts(tables)[case.invariant] is not Verdict.HOLDS
    with database.changed(tables):
        return database.judge([case.invariant])[case.invariant]


def test_each_invariant_holds_in_the_clean_run(database: Database) -> None:
    assert database.verdicts() == dict.fromkeys(catalog(), Verdict.HOLDS)


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_what_is_wrong_is_said(database: Database, case: Case) -> None:
    judgement = judged(database, case)

    assert judgement.verdict is Verdict.VIOLATED
    assert case.says in {one.what for one in judgement.counterexamples}
    assert len(judgement.counterexamples) == min(judgement.count, MOST_COUNTEREXAMPLES)


@pytest.mark.parametrize("case", DOUBTS, ids=name_of)
def test_what_cannot_be_judged_is_unknown(database: Database, case: Case) -> None:
    judgement = judged(database, case)

    assert judgement.verdict is Verdict.UNKNOWN
    assert any(reason.startswith(f"{case.says}: ") for reason in judgement.reasons)


@pytest.mark.parametrize("case", cases_sound.SOUND, ids=name_of)
def test_what_only_looks_wrong_holds(database: Database, case: Case) -> None:
    tables = broken(case.breaks)

    with database.changed(tables):
        assert database.verdicts([case.invariant]) == {case.invariant: Verdict.HOLDS}
    assert oracle.verdicts(tables)[case.invariant] is Verdict.HOLDS


@pytest.mark.parametrize("case", TOO_LITTLE, ids=name_of)
def test_too_little_evidence_proves_nothing(database: Database, case: Case) -> None:
    claimed, unclaimed = judged(database, case), judged(database, case, unclaimed=True)

    assert claimed.verdict is Verdict.UNKNOWN
    assert unclaimed.verdict is Verdict.NOT_EXERCISED
    lacking = {one.what for one in claimed.evidence if not one.is_enough}
    assert lacking >= {case.says}
    assert all(any(what in reason for reason in claimed.reasons) for what in lacking)


def test_every_sentence_has_a_history_that_makes_the_judge_say_it() -> None:
    assert {(case.invariant, case.says) for case in CASES} == sentences.violations()
    assert {(case.invariant, case.says) for case in DOUBTS} == sentences.doubts()


def test_every_invariant_has_a_history_with_too_little_evidence() -> None:
    assert {case.invariant for case in TOO_LITTLE} == catalog().keys()


def test_calls_a_day_after_the_first_of_their_key_are_counted(database: Database) -> None:
    tables = clean_run(SEED, STEPS)
    call = next(op for op in tables["ops"] if op["kind"] == "command")
    day = 24 * 60 * 60 * 10**9
    late = {"start_ns": call["start_ns"] + day, "end_ns": call["start_ns"] + day}
    almost = {"start_ns": call["start_ns"] + 1, "end_ns": call["start_ns"] + day - 1}
    tables["ops"] = [*tables["ops"], call | late, call | almost]

    with database.changed(tables):
        counted = {one.what: one.seen for one in database.judge(["I11"])["I11"].evidence}
    assert counted["calls a day or more after the first of their key, left out"] == 1
