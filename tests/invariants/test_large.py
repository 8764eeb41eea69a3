"""The histories with which the judge is measured are clean, however large they are made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tidemark.history.folder import RunFolder
from tidemark.invariants.catalog import catalog
from tidemark.invariants.judge import Verdict, judge
from tools.bench import histories

if TYPE_CHECKING:
    from pathlib import Path


def test_a_made_history_exercises_every_invariant_and_is_clean(tmp_path: Path) -> None:
    histories.write(tmp_path / "run", 20_000)
    folder = RunFolder.open(tmp_path / "run")

    verdicts = {one.invariant.id: one.verdict for one in judge(folder, list(catalog().values()))}

    assert folder.gaps == {}
    assert verdicts == dict.fromkeys(catalog(), Verdict.HOLDS)
