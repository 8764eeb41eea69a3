"""Of a system with one thing broken, the invariant that must notice does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.invariants import oracle
from tests.invariants.ablations import ABLATIONS, OWNER, A, Ablation, B
from tests.invariants.clean_runs import finish
from tests.invariants.database import Database
from tests.invariants.recorded import Run
from tidemark.invariants.judge import Verdict

if TYPE_CHECKING:
    from tests.invariants.recorded import Tables


def name_of(ablation: Ablation) -> str:
    return f"{ablation.broken}, {ablation.fault.__name__}"


@pytest.fixture(scope="module")
def database() -> Database:
    return Database(hashed=True)


def left_by(run: Run, ablation: Ablation) -> Tables:
    for account in (A, B):
        run.command("open", account, owner=OWNER)
    run.project()
    ablation.fault(run)
    return finish(run)


def broken(ablation: Ablation) -> Tables:
    parts = (ablation.write_side, ablation.projection, ablation.transport)
    return left_by(ablation.run(1, *parts), ablation)


@pytest.mark.parametrize("ablation", ABLATIONS, ids=name_of)
def test_the_whole_system_stands_the_fault(database: Database, ablation: Ablation) -> None:
    database.load(left_by(Run(1), ablation))

    assert Verdict.VIOLATED not in database.verdicts().values()


@pytest.mark.parametrize("ablation", ABLATIONS, ids=name_of)
def test_what_is_broken_is_found(database: Database, ablation: Ablation) -> None:
    tables = broken(ablation)
    database.load(tables)
    judged = database.judge()

    violated = {one for one, judgement in judged.items() if judgement.verdict == Verdict.VIOLATED}
    assert all(group & violated for group in ablation.must)
    assert all(judged[one].verdict == Verdict.HOLDS for one in ablation.holds)
    assert oracle.verdicts(tables) == {one: each.verdict for one, each in judged.items()}
    # A person can follow it: it names an account, its owner, a key or a message.
    for one in set().union(*ablation.must) & violated:
        first = judged[one].counterexamples[0]
        assert first.aggregate in (A, B, OWNER) or first.key is not None


def test_of_batches_whose_failures_are_not_reported_the_duplicates_are_explained() -> None:
    (ablation,) = (one for one in ABLATIONS if one.broken == "batch failures not reported")
    tables = broken(ablation)

    outcomes = [row["outcome"] for row in tables["deliveries"] if row["aggregate"] == A]
    applied, duplicates = outcomes.count("applied"), outcomes.count("duplicate")
    assert applied == len([row for row in tables["events"] if row["aggregate"] == A])
    assert duplicates > applied
