"""The localstack target on a real engine: what it leaves in Docker is nothing, whatever happens."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from acceptance.containers import (
    IMAGE,
    container_of,
    containers,
    docker,
    functions_of,
    left_by,
    target_of,
)
from acceptance.program import CHECKOUT, VERB_TAKES_AT_MOST_S, Ended, Program
from tidemark.errors import ExitCode
from tidemark.host import ports
from tidemark.host.waiting import eventually
from tidemark.targets.base import TargetOptions
from tidemark.targets.localstack import LocalStackTarget

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = [pytest.mark.timeout(400), pytest.mark.usefixtures("docker_engine")]

UP = ("up", "--target", "localstack")
DOES_NOT_ANSWER = "The localstack target does not answer: run `tidemark up`, which starts it again."


@pytest.fixture
def up(shared: Program) -> Program:
    """The shared program with LocalStack up, whatever the test before left."""
    shared.succeeds(*UP)
    return shared


def deploying(program: Program) -> bool | None:
    """Whether the CDK is at work."""
    return any(" deploy " in command for command in program.left_running()) or None


def started(program: Program, *arguments: str, when: Callable[[], object]) -> subprocess.Popen[str]:
    """A verb that has come to a moment."""
    process = program.start(*arguments)

    def probe() -> object:
        if process.poll() is not None:
            pytest.fail(f"it ended with {process.returncode}: {process.communicate()[1]}")
        return when()

    eventually(probe, within_s=120, what="the moment")
    return process


def ended(process: subprocess.Popen[str]) -> Ended:
    """How a verb that was started ended."""
    with process:
        stdout, stderr = process.communicate(timeout=VERB_TAKES_AT_MOST_S)
    return Ended(process.returncode, stdout, stderr)


def test_up_status_and_down_leave_nothing_in_docker(program: Program) -> None:
    program.succeeds(*UP)

    status = program.status()
    assert status["target"] == "localstack"
    assert status["versions"]["image"] == IMAGE
    assert status["versions"]["localstack"] in IMAGE
    assert docker("port", container_of(program)) == [
        f"4566/tcp -> {status['endpoint'].removeprefix('http://')}"
    ]
    assert status["endpoint"].startswith("http://127.0.0.1:")
    assert functions_of(program) != set()
    assert program.succeeds("down") == "The localstack target is stopped.\n"
    assert left_by(program) == []


def test_neither_docker_nor_compose_are_called(
    program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("docker", "docker-compose"):
        (folder / name).write_text(f'#!/bin/sh\necho "$@" >>{folder}/calls\nexit 1\n')
        (folder / name).chmod(0o755)
    with monkeypatch.context() as patched:
        patched.setenv("PATH", os.pathsep.join([str(folder), os.environ["PATH"]]))

        program.succeeds(*UP)
        program.succeeds("down")

    assert not (folder / "calls").exists()
    assert left_by(program) == []


def test_localstacks_wrapper_of_the_cdk_deploys_the_same(up: Program) -> None:
    up.succeeds(*UP, "--stack-name", "Wrapped", "--deploy-with", "cdklocal")

    plain, wrapped = up.status("--stack-name", "Tidemark"), up.status("--stack-name", "Wrapped")
    assert wrapped["template_digest"] == plain["template_digest"]
    up.succeeds("destroy", "--stack-name", "Wrapped")


def test_another_image_or_port_than_what_runs_is_refused(
    up: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    other_port = up(*UP, "--port", str(ports.choose(None)))
    monkeypatch.setenv("LOCALSTACK_IMAGE", "tidemark.invalid/nothing:1")
    other_image = up(*UP)

    assert other_port.exit_code == other_image.exit_code == ExitCode.NOT_STARTED
    assert "The localstack target already runs on port" in other_port.stderr
    assert f"The localstack target already runs the image {IMAGE}" in other_image.stderr
    assert up.status()["versions"]["image"] == IMAGE


def test_the_localstack_of_another_state_folder_is_not_taken(up: Program, tmp_path: Path) -> None:
    other = Program(tmp_path / "other")
    for name in ("deployments", "localstack"):
        shutil.copytree(up.state / name, other.state / name)

    for verb in ("status", "destroy"):
        refused = other(verb)
        assert refused.exit_code == ExitCode.FAILED
        assert DOES_NOT_ANSWER in refused.stderr

    other.succeeds("down")
    assert up.status()["dead_letters"] == 0


def test_a_container_that_is_killed_while_it_is_up_is_started_again(up: Program) -> None:
    orphans = functions_of(up)
    docker("kill", container_of(up))

    status = up("status")

    assert status.exit_code == ExitCode.FAILED
    assert DOES_NOT_ANSWER in status.stderr
    up.succeeds(*UP)
    assert up.status()["dead_letters"] == 0
    assert orphans != set()
    assert functions_of(up) & orphans == set()


def test_one_that_stands_still_is_left_alone_with_what_is_on_it(up: Program) -> None:
    endpoint = up.status()["endpoint"]
    docker("pause", container_of(up))
    try:
        refused = up(*UP)
    finally:
        docker("unpause", container_of(up))

    assert refused.exit_code == ExitCode.FAILED
    assert "The localstack target runs and has not answered for 30 s" in refused.stderr
    assert up.status()["endpoint"] == endpoint


def test_a_container_that_dies_during_a_deploy_is_named_and_cleared_away(up: Program) -> None:
    verb = started(up, *UP, "--stack-name", "Second", when=lambda: deploying(up))
    docker("kill", container_of(up))
    failed = ended(verb)

    assert failed.exit_code == ExitCode.FAILED
    assert (
        "The localstack target ended meanwhile (exit code 137) and its rest is removed: "
    ) in failed.stderr
    assert "Traceback" not in failed.stderr
    assert left_by(up) == []


def test_an_up_that_was_killed_is_taken_up_by_the_next_one(program: Program) -> None:
    with started(program, *UP, when=lambda: deploying(program)) as process:
        process.kill()
        process.communicate()
    assert deploying(program), "the kill took more than the program itself"

    program.succeeds(*UP)
    assert program.status()["dead_letters"] == 0
    program.succeeds("down")

    assert left_by(program) == []


@pytest.mark.parametrize("moment", ["it is written down", "localstack starts", "the CDK deploys"])
def test_ctrl_c_leaves_nothing_in_docker(program: Program, moment: str) -> None:
    has_come: dict[str, Callable[[], object]] = {
        "it is written down": lambda: list((program.state / "undo").glob("*.json")) or None,
        "localstack starts": lambda: containers(target_of(program).project) or None,
        "the CDK deploys": lambda: deploying(program),
    }

    verb = started(program, *UP, when=has_come[moment])
    os.killpg(verb.pid, signal.SIGINT)  # as a terminal does
    interrupted = ended(verb)

    assert interrupted.exit_code == ExitCode.INTERRUPTED
    assert "Interrupted; nothing of it is left running.\n" in interrupted.stderr
    assert "Traceback" not in interrupted.stderr
    assert left_by(program) == []


STANDING_STILL = """
import pathlib, threading

def test_it(deployment):
    pathlib.Path(__file__).with_name("deployed").touch()
    threading.Event().wait()
"""


def test_a_session_that_was_killed_is_cleared_away_by_the_next_one(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    test = tmp_path / "test_it.py"
    test.write_text(STANDING_STILL)
    state = tmp_path / "state"
    session = Program(state, cwd=tmp_path)
    options = ("-p", "tidemark.pytest_plugin", "-c", tmp_path / "pytest.ini", "--rootdir", CHECKOUT)

    def start(target: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", "pytest", *options, "--target", target, test],
            cwd=tmp_path,
            env=session.env,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )

    with start("localstack") as killed:
        eventually(
            lambda: (tmp_path / "deployed").exists() or None, within_s=120, what="the deployment"
        )
        killed.kill()
    [folder] = (state / "pytest").iterdir()
    left = set(containers(LocalStackTarget(TargetOptions(state=folder)).project))
    test.write_text("def test_it(deployment): pass")

    with start("embedded") as following:
        assert following.wait(timeout=VERB_TAKES_AT_MOST_S) == pytest.ExitCode.OK

    assert len(left) > 1, "LocalStack and its functions ran on"
    assert left & set(docker("ps", "--all", "--format", "{{.Names}}")) == set()
