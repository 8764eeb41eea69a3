"""A test session that fails leaves what explains it, and nothing that runs."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from acceptance.broken import broken_checkout
from acceptance.program import CHECKOUT
from tidemark.errors import ExitCode

FAILING = """
from tidemark.workloads import bank

def test_a_lie(tidemark_client):
    assert tidemark_client.run(bank.owner_totals("nobody")).status == 404
"""
DEPLOYED = "def test_it(deployment): pass"


def session(folder: Path, tests: str, *options: str | Path) -> subprocess.CompletedProcess[str]:
    """Run tests in a folder, which is the state folder's, too."""
    (folder / "test_it.py").write_text(tests, encoding="utf-8")
    (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    return subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-p", "tidemark.pytest_plugin"),
            *("-p", "no:cacheprovider", "-c", folder / "pytest.ini"),
            *(*options, folder / "test_it.py"),
        ],
        cwd=folder,
        env={
            **os.environ,
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            "TIDEMARK_STATE_DIR": str(folder / "state"),
        },
        capture_output=True,
        text=True,
        check=False,
    )


def evidence_of(ended: subprocess.CompletedProcess[str]) -> Path:
    """The folder that the last line names."""
    what, _, where = ended.stdout.strip().splitlines()[-1].partition(": ")
    assert what == "What there is to look at"
    return Path(where)


def test_a_failed_session_says_last_where_logs_events_and_requests_are(tmp_path: Path) -> None:
    ended = session(tmp_path, FAILING, f"--rootdir={CHECKOUT}")

    assert ended.returncode == pytest.ExitCode.TESTS_FAILED, ended.stdout
    where = evidence_of(ended)
    kept = where / "Tidemark"
    assert (kept / "target.log").stat().st_size > 0
    events = json.loads((kept / "stack-events.json").read_text(encoding="utf-8"))
    assert ("Tidemark", "CREATE_COMPLETE") in {
        (event["LogicalResourceId"], event["ResourceStatus"]) for event in events
    }
    lines = (kept / "requests.jsonl").read_text(encoding="utf-8").splitlines()
    [sent] = [one for one in map(json.loads, lines) if "test_a_lie" in (one["test"] or "")]
    assert (sent["method"], sent["answer"]["status"]) == ("GET", 200)
    assert sent["url"].endswith("/owners/nobody/totals")
    assert json.loads(sent["answer"]["body"])["owner_id"] == "nobody"
    [query_handler] = kept.glob("ReadSideQueryHandler*.log")
    assert '"route":"GET /owners/{owner_id}/totals"' in query_handler.read_text(encoding="utf-8")
    assert sorted(path.name for path in where.parent.iterdir()) == ["failed"]


def test_a_session_whose_deploy_fails_points_to_what_is_there(tmp_path: Path) -> None:
    checkout = broken_checkout(tmp_path)

    ended = session(
        tmp_path, DEPLOYED, f"--rootdir={checkout}", "--tidemark-app", "python -m stack.app"
    )

    assert ended.returncode == ExitCode.FAILED, ended.stdout
    assert "The deploy of Tidemark failed: Broken (AWS::IAM::Policy)" in ended.stdout
    state = re.escape(str(tmp_path / "state"))
    named = {Path(one) for one in re.findall(rf"{state}[^\s)]*[^\s).]", ended.stdout)}
    assert {path.name for path in named} == {"deploy.log", "failed"}
    assert [path for path in named if not path.exists()] == []
    events = json.loads((evidence_of(ended) / "Tidemark" / "stack-events.json").read_text())
    assert "CREATE_FAILED" in {event["ResourceStatus"] for event in events}
