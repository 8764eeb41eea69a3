"""How the tables are read changes nothing in what is judged."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from tests.invariants.clean_runs import clean_run, closed
from tests.invariants.edits import EDITS, edited
from tests.invariants.folders import write_run
from tidemark.invariants import views
from tidemark.invariants.catalog import catalog
from tidemark.invariants.judge import judge

if TYPE_CHECKING:
    from pathlib import Path

    from tidemark.history.folder import RunFolder


@pytest.fixture(scope="module", params=range(2))
def broken(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    draws = random.Random(request.param)  # noqa: S311 -- draws, no secrets
    tables = closed(edited(clean_run(request.param, steps=40), draws.sample(EDITS, 8), draws))
    return write_run(tmp_path_factory.mktemp("run"), tables)


def test_names_judged_by_their_hashes_or_as_they_are_are_judged_alike(
    broken: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_hashes = judge(broken, list(catalog().values()))
    monkeypatch.setattr(views, "_NAMES", frozenset())

    assert judge(broken, list(catalog().values())) == by_hashes
    assert sum(one.count > 0 for one in by_hashes) > 1


def test_a_name_that_is_empty_has_no_hash(broken: RunFolder) -> None:
    empty = "SELECT COUNT(*) - COUNT(owner), COUNT(DISTINCT owner) FROM ops"
    with views.connect(broken) as database:
        as_written = database.execute(empty).fetchall()
        with views.hashed(database):
            assert database.execute(empty).fetchall() == as_written
            kinds = {row[0]: row[1] for row in database.execute("DESCRIBE ops").fetchall()}
    assert kinds["owner"] == "UBIGINT"


def test_what_spills_is_gone_when_the_judge_is(
    broken: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with views.connect(broken):
        assert list(tmp_path.iterdir())

    assert list(tmp_path.iterdir()) == []
