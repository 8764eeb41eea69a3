"""A run's folder is judged on a machine that has nothing but the wheel with what judges."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pyarrow.parquet as pq
import pytest

from acceptance.test_examples import UV, Installed, run
from tests.invariants.clean_runs import clean_run
from tests.invariants.folders import write_run
from tidemark.host.state import find_checkout

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """An environment with the wheel and its extra `check` alone."""
    folder = tmp_path_factory.mktemp("elsewhere")
    python = folder / ".venv" / "bin" / "python"
    built = run([UV, "build", "--wheel", "--out-dir", folder, str(find_checkout())], folder)
    assert built.returncode == 0, built.stderr
    [wheel] = folder.glob("*.whl")
    made = run([UV, "venv", "--python", sys.executable, folder / ".venv"], folder)
    assert made.returncode == 0, made.stderr
    found = run([UV, "pip", "install", "--python", python, f"{wheel}[check]"], folder)
    assert found.returncode == 0, found.stderr
    return Installed(python)


def test_a_folder_is_judged_explained_and_shown(elsewhere: Installed, tmp_path: Path) -> None:
    here = write_run(tmp_path / "run", clean_run()).path

    judged = elsewhere.run(tmp_path, "-m", "tidemark", "check", "run", "--json")
    assert judged.returncode == 0, judged.stderr
    assert json.loads(judged.stdout)["verdict"] == "holds"
    explained = elsewhere.run(tmp_path, "-m", "tidemark", "explain", "I4")
    assert "exactly once" in explained.stdout
    shown = elsewhere.run(tmp_path, "-m", "tidemark", "runs", "show", "run", "--json")
    assert json.loads(shown.stdout)["rows"]["ops"] > 0

    [lines] = (here / "lines").iterdir()
    table = pq.read_table(lines)
    pq.write_table(table.slice(1), lines)
    torn = elsewhere.run(tmp_path, "-m", "tidemark", "check", "run")
    assert torn.returncode == 3
    assert "lines/" in torn.stdout
