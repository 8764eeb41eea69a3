"""A project tests a stack that somebody else deployed, and leaves it alone."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tidemark.aws import stacks
from tidemark.aws.connection import variables

if TYPE_CHECKING:
    from pathlib import Path

    from integration.site import Site

TESTS = """
from tidemark.workloads import bank

def test_outputs(deployment, aws):
    table = deployment.outputs["QueryTableName"]
    assert aws.dynamodb.describe_table(TableName=table)["Table"]["TableStatus"] == "ACTIVE"

def test_api(tidemark_client):
    assert tidemark_client.run(bank.account("nobody")).status == 404
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "test_theirs.py").write_text(TESTS, encoding="utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    return tmp_path


def session(project: Path, site: Site, stack_name: str) -> subprocess.CompletedProcess[str]:
    if site.deployment.endpoint is None:
        pytest.skip("a session is given the stack of an endpoint")
    return subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-p", "tidemark.pytest_plugin"),
            *("-p", "no:cacheprovider", "--tidemark-endpoint", site.deployment.endpoint),
            *("--tidemark-stack", stack_name),
        ],
        cwd=project,
        env={
            **{name: value for name, value in os.environ.items() if "PYTEST_" not in name},
            **variables(site.aws.connection),
            "TIDEMARK_STATE_DIR": str(project / "state"),
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        },
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_stack_that_is_given_is_used_and_left_alone(project: Path, site: Site) -> None:
    name = site.deployment.stack_name

    finished = session(project, site, name)

    assert finished.returncode == 0, finished.stdout
    assert "2 passed" in finished.stdout
    assert "is deployed" not in finished.stderr
    live = stacks.describe(site.aws, name)
    assert live is not None
    assert live.outputs == site.deployment.outputs
    kept = {one.name for one in (project / "state").rglob("*.*") if one.is_file()}
    assert "run.json" in kept


def test_a_stack_that_is_not_there_ends_the_session_with_one_sentence(
    project: Path, site: Site
) -> None:
    finished = session(project, site, "Nobodys")

    assert finished.returncode != 0
    assert "Nobodys is not there to be used (no such stack" in finished.stdout + finished.stderr
    assert "Traceback" not in finished.stdout + finished.stderr
