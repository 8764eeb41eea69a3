"""A test session that fails leaves what explains it, and nothing that runs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from acceptance.program import CHECKOUT

FAILING = """
from tidemark.workloads.bank import Bank

def test_a_lie(tidemark_client):
    assert Bank(tidemark_client).owner_totals("nobody").status == 404
"""


def test_a_failed_session_says_last_where_logs_and_stack_events_are(
    tmp_path: Path,
) -> None:
    (tmp_path / "test_lie.py").write_text(FAILING, encoding="utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")

    session = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-p", "tidemark.pytest_plugin"),
            *("-p", "no:cacheprovider", "-c", tmp_path / "pytest.ini"),
            *(f"--rootdir={CHECKOUT}", tmp_path / "test_lie.py"),
        ],
        cwd=tmp_path,
        env={
            **os.environ,
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            "TIDEMARK_STATE_DIR": str(tmp_path / "state"),
        },
        capture_output=True,
        text=True,
        check=False,
    )

    assert session.returncode == pytest.ExitCode.TESTS_FAILED, session.stdout
    what, _, where = session.stdout.strip().splitlines()[-1].partition(": ")
    assert what == "What there is to look at"
    kept = {path.name for path in (Path(where) / "Tidemark").iterdir()}
    assert {"stack-events.json", "target.log"} <= kept
    [query_handler] = (Path(where) / "Tidemark").glob("ReadSideQueryHandler*.log")
    assert '"route":"GET /owners/{owner_id}/totals"' in query_handler.read_text(encoding="utf-8")
    assert sorted(path.name for path in Path(where).parent.iterdir()) == ["failed"]
