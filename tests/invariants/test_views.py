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
from tidemark.invariants.judge import Judgement, judge

if TYPE_CHECKING:
    from pathlib import Path

    from tidemark.history.folder import RunFolder


def judged(folder: RunFolder) -> list[Judgement]:
    return judge(folder, list(catalog().values()))


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    draws = random.Random(0)  # noqa: S311 -- draws, no secrets
    tables = closed(edited(clean_run(1, steps=40), draws.sample(EDITS, 8), draws))
    return write_run(tmp_path_factory.mktemp("run"), tables)


def test_names_judged_as_numbers_or_as_text_are_judged_alike(
    broken: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_numbers = judged(broken)
    monkeypatch.setattr(views, "_MOST_NAMES", 0)

    assert judged(broken) == as_numbers
    assert sum(one.count > 0 for one in as_numbers) > 1


def test_names_are_numbers_in_the_order_of_the_alphabet(broken: RunFolder) -> None:
    with views.connect(broken) as database:
        (kind,) = database.execute("SELECT ANY_VALUE(typeof(aggregate)) FROM ops").fetchall()[0]
        names = database.execute("SELECT DISTINCT aggregate FROM ops ORDER BY 1").fetchall()

    assert kind.startswith("ENUM")
    assert names == sorted(names)


def test_what_spills_is_gone_when_the_judge_is(
    broken: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with views.connect(broken):
        assert list(tmp_path.iterdir())

    assert list(tmp_path.iterdir()) == []
