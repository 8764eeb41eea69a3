"""How the tables are read changes nothing in what is judged."""

from __future__ import annotations

import os
import random
import signal
import threading
from typing import TYPE_CHECKING

import pytest

from tests.invariants.clean_runs import clean_run, closed
from tests.invariants.database import Database
from tests.invariants.edits import EDITS, edited
from tests.invariants.folders import write_run
from tidemark.invariants import views
from tidemark.measures.lateness import _AGES, _VERSIONS, AGES_MS

if TYPE_CHECKING:
    from pathlib import Path

    from tidemark.history.folder import RunFolder


# For more of them: HASHED_EXAMPLES=1000 .venv/bin/pytest tests/invariants/test_views.py --timeout 0
EXAMPLES = int(os.environ.get("HASHED_EXAMPLES", "6"))


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    draws = random.Random(0)  # noqa: S311 -- draws, no secrets
    tables = closed(edited(clean_run(1, steps=40), draws.sample(EDITS, 8), draws))
    return write_run(tmp_path_factory.mktemp("run"), tables)


def test_a_broken_run_asked_of_hashes_first_is_judged_as_of_names_alone() -> None:
    clean = clean_run(2, steps=12)
    of_names, of_hashes = Database(), Database(hashed=True)
    of_names.load(clean)
    of_hashes.load(clean)
    draws = random.Random(0)  # noqa: S311 -- draws, no secrets
    found = set()
    for _ in range(EXAMPLES):
        tables = edited(clean, [draws.choice(EDITS)], draws)
        with of_names.changed(tables) as concerned, of_hashes.changed(tables):
            judged = of_names.judge(concerned)
            assert of_hashes.judge(concerned) == judged
        found |= {one for one, judgement in judged.items() if judgement.count}
    assert found


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


def test_ctrl_c_while_a_query_runs_is_no_failure_of_the_judge(broken: RunFolder) -> None:
    interrupting = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT))
    for_ages = "SELECT SUM(n * n % 7) FROM range(200_000_000) many(n)"

    def asked() -> None:
        with views.connect(broken) as database:
            interrupting.start()
            database.execute(for_ages).fetchall()

    with pytest.raises(KeyboardInterrupt):
        asked()
    interrupting.join()


def test_what_was_newest_is_found_in_order_and_not_by_comparing_all_with_all(
    broken: RunFolder,
) -> None:
    with views.connect(broken) as database:
        database.execute(_VERSIONS)
        plan = str(database.execute(f"EXPLAIN {_AGES}", [list(AGES_MS)]).fetchall()).upper()
    assert "ASOF" in plan
    assert "LOOP" not in plan
