"""Where a target cannot be started, a session fails, and says why."""

from __future__ import annotations

import subprocess
import sys
from importlib import metadata
from typing import TYPE_CHECKING

import pytest

from tidemark.errors import ExitCode

if TYPE_CHECKING:
    from pathlib import Path

    from acceptance.plugin.sessions import Project

HEAVY = {"boto3", "botocore", "httpx", "rich", "testcontainers"}
DEPLOYED = "def test_one(deployment): pass\n\n\ndef test_other(tidemark_client): pass"


@pytest.fixture
def no_engine(tmp_path: Path) -> str:
    """Where no Docker engine listens."""
    return f"unix://{tmp_path / 'no-docker.sock'}"


def test_without_an_engine_localstack_ends_the_session_with_one_sentence(
    project: Project, no_engine: str
) -> None:
    session = project.run(DEPLOYED, "--target", "localstack", DOCKER_HOST=no_engine)

    assert session.exit_code == ExitCode.FAILED
    assert (
        session.output.count(f"No Docker engine answers (DOCKER_HOST {no_engine}): start it") == 1
    )
    assert "Traceback" not in session.output
    assert "What there is to look at" not in session.output
    assert not list(project.folder.glob("state/pytest/*"))


def test_an_endpoint_that_does_not_answer_ends_the_session_with_one_sentence(
    project: Project,
) -> None:
    session = project.run(DEPLOYED, "--tidemark-endpoint", "http://127.0.0.1:1")

    assert session.exit_code == ExitCode.FAILED
    assert "No AWS answers at http://127.0.0.1:1" in session.output
    assert "Traceback" not in session.output


def test_the_plugin_is_never_loaded_by_itself() -> None:
    found = [one.value for one in metadata.entry_points(group="pytest11")]

    assert not [value for value in found if value.startswith("tidemark")]


def test_the_plugin_costs_a_session_without_a_deployment_next_to_nothing() -> None:
    program = "import sys, tidemark.pytest_plugin; print(*sys.modules)"

    loaded = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout.split()

    assert "tidemark.pytest_plugin" in loaded
    assert HEAVY.isdisjoint(loaded)


@pytest.mark.parametrize("options", [[], ["--target", "embedded"], ["--target", "localstack"]])
def test_so_does_a_target_that_no_test_asks_for(project: Project, options: list[str]) -> None:
    session = project.run(
        f"def test_it():\n    import sys\n    assert {HEAVY!r}.isdisjoint(sys.modules)", *options
    )

    assert "1 passed" in session.output, session.output
