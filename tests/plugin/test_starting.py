"""Where a target cannot be started, a session says why, and fails where it must."""

from __future__ import annotations

import subprocess
import sys
from importlib import metadata
from typing import TYPE_CHECKING

import pytest

from tidemark.exit_codes import ExitCode

if TYPE_CHECKING:
    from pathlib import Path

    from tests.plugin.sessions import Project

DEPLOYED = "def test_one(deployment): pass\n\n\ndef test_other(tidemark_client): pass"


@pytest.fixture
def no_engine(tmp_path: Path) -> str:
    """Where no Docker engine listens."""
    return f"unix://{tmp_path / 'no-docker.sock'}"


def test_without_an_engine_localstack_is_a_skip_with_its_reason(
    project: Project, no_engine: str
) -> None:
    session = project.run(DEPLOYED, "--target", "localstack", DOCKER_HOST=no_engine)

    assert session.exit_code == 0
    assert "2 skipped" in session.output
    assert "No Docker engine answers" in session.output
    assert not list((project.folder / "state").rglob("*.*"))


@pytest.mark.parametrize(
    ("options", "environ"), [(["--tidemark-no-skip"], {}), ([], {"CI": "true"})]
)
def test_such_a_skip_is_a_failure_where_it_is_asked_for_and_in_ci(
    project: Project, no_engine: str, options: list[str], environ: dict[str, str]
) -> None:
    session = project.run(
        DEPLOYED, "--target", "localstack", *options, DOCKER_HOST=no_engine, **environ
    )

    assert session.exit_code == ExitCode.FAILED
    assert "No Docker engine answers" in session.output


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
    assert {"boto3", "httpx", "rich", "testcontainers"}.isdisjoint(loaded)
