"""The judge and a slow, obviously right oracle agree on every verdict of every invariant."""

from __future__ import annotations

import os
import random
from functools import cache
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.invariants import oracle
from tests.invariants.clean_runs import clean_run
from tests.invariants.database import Database
from tests.invariants.edits import EDITS, edited
from tidemark.invariants.catalog import catalog
from tidemark.invariants.judge import Verdict

if TYPE_CHECKING:
    from tests.invariants.edits import Edit
    from tests.invariants.recorded import Tables

# For more examples, and others each time:
# ORACLE_EXAMPLES=2000 .venv/bin/pytest tests/invariants/test_oracle.py --timeout 0
EXAMPLES = int(os.environ.get("ORACLE_EXAMPLES", "0"))


@cache
def run(seed: int) -> Tables:
    return clean_run(seed, steps=seed * 8)


@cache
def database(seed: int) -> Database:
    """A database with a clean run."""
    held = Database()
    held.load(run(seed))
    return held


@pytest.mark.parametrize("seed", range(4))
def test_all_holds_in_a_clean_run_says_each_of_them(seed: int) -> None:
    all_hold = dict.fromkeys(catalog(), Verdict.HOLDS)

    assert database(seed).verdicts() == all_hold
    assert oracle.verdicts(run(seed)) == all_hold


@pytest.mark.timeout(600)
@settings(
    max_examples=EXAMPLES or 30,
    derandomize=not EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(
    seed=st.integers(0, 3 if not EXAMPLES else 20),
    edits=st.lists(st.sampled_from(EDITS), min_size=1, max_size=3),
    draw=st.integers(0, 2**32),
)
def test_of_a_broken_run_they_say_the_same(seed: int, edits: list[Edit], draw: int) -> None:
    broken = edited(run(seed), edits, random.Random(draw))  # noqa: S311 -- draws, no secrets

    with database(seed).changed(broken) as concerned:
        judged = database(seed).verdicts(concerned)

    said = oracle.verdicts(broken)
    assert judged == {one: said[one] for one in judged}
    # What reads none of the tables that were changed says what it said of the clean run.
    assert {said[one] for one in said.keys() - concerned} <= {Verdict.HOLDS}
