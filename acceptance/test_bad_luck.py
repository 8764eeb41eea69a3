"""The program when something dies, fills up, hangs, or was left half-finished."""

from __future__ import annotations

import os
import signal
import socket
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from acceptance import broken
from acceptance.program import Program
from tidemark.aws.clients import AwsClients
from tidemark.errors import ExitCode
from tidemark.host.waiting import eventually

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.timeout(300)


def clients(program: Program) -> AwsClients:
    connection = program.embedded.find()
    assert connection is not None
    return AwsClients(connection)


def deploying(program: Program) -> bool | None:
    """Whether the CDK is at work."""
    return any(" deploy " in command for command in program.left_running()) or None


def killed_in_mid_deploy(program: Program, *arguments: str) -> None:
    """Start `up` and kill it, and it alone, while the CDK deploys."""
    with program.start("up", "--target", "embedded", *arguments) as process:
        eventually(lambda: deploying(program), within_s=60, what="the CDK to deploy")
        process.kill()
        process.communicate()
    assert deploying(program), "the kill took more than the program itself"


@pytest.mark.parametrize("next_verb", ["up", "down"])
def test_what_a_killed_up_left_is_repaired_by_the_next_verb(
    program: Program, next_verb: str
) -> None:
    killed_in_mid_deploy(program)

    if next_verb == "up":
        program.succeeds("up", "--target", "embedded")
        assert program.status()["dead_letters"] == 0
    program.succeeds("down")

    assert program.left_running() == []


def test_a_target_that_dies_during_a_deploy_is_named_and_cleared_away(program: Program) -> None:
    with program.start("up", "--target", "embedded") as process:
        eventually(lambda: deploying(program), within_s=60, what="the CDK to deploy")
        emulator = program.emulator
        assert emulator is not None
        os.kill(emulator.pid, signal.SIGKILL)
        _, stderr = process.communicate(timeout=60)

    assert process.returncode == ExitCode.FAILED
    assert f"The embedded target ended meanwhile (process {emulator.pid}" in stderr
    assert "its rest is removed: try again, and it starts anew, empty." in stderr
    assert "Traceback" not in stderr
    assert program.left_running() == []
    assert not (program.state / "embedded" / "process.json").exists()


def test_a_stack_that_was_rolled_back_is_deployed_anew(up: Program) -> None:
    cloudformation = clients(up).cloudformation
    cloudformation.create_stack(StackName="Fallen", TemplateBody=broken.TEMPLATE)

    def fallen() -> Any:
        [stack] = cloudformation.describe_stacks(StackName="Fallen")["Stacks"]
        return stack["StackStatus"] == "ROLLBACK_COMPLETE" or None

    eventually(fallen, within_s=30, what="the rollback")

    up.succeeds("up", "--target", "embedded", "--stack-name", "Fallen")

    assert up.status("--stack-name", "Fallen")["dead_letters"] == 0
    up.succeeds("destroy", "--stack-name", "Fallen")


def test_a_stack_whose_creation_failed_leaves_not_even_its_name(
    up: Program, tmp_path: Path
) -> None:
    program = Program(up.state, cwd=broken.broken_checkout(tmp_path))

    ended = program("up", "--target", "embedded", "--stack-name", "Stillborn")

    assert ended.exit_code == ExitCode.FAILED
    assert "Broken (AWS::IAM::Policy)" in ended.stderr
    stacks = clients(up).cloudformation.describe_stacks()["Stacks"]
    assert "Stillborn" not in {one["StackName"] for one in stacks}
    assert (up.state / "failed" / "Stillborn" / "stack-events.json").is_file()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no /dev/full")  # noqa: PTH110 -- a device, and no file of ours
def test_a_full_disk_is_named_and_nothing_is_left(program: Program) -> None:
    log = program.state / "cdk" / "bootstrap.log"
    log.parent.mkdir(parents=True)
    log.symlink_to("/dev/full")

    ended = program("up", "--target", "embedded")

    assert ended.exit_code == ExitCode.FAILED
    assert "The disk is full: make room" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert program.left_running() == []


def test_an_endpoint_that_accepts_and_never_answers_is_given_up(program: Program) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"

        ended = program("up", "--target", "endpoint", "--endpoint-url", url)

    assert ended.exit_code == ExitCode.FAILED
    assert f"What runs at {url} is not known (" in ended.stderr
    assert "try again when it can be reached, or correct the URL." in ended.stderr


def test_an_emulator_that_hangs_does_not_answer(up: Program) -> None:
    emulator = up.emulator
    assert emulator is not None
    os.kill(emulator.pid, signal.SIGSTOP)
    try:
        ended = up("status")
    finally:
        os.kill(emulator.pid, signal.SIGCONT)

    assert ended.exit_code == ExitCode.FAILED
    assert "The embedded target runs and has not answered for " in ended.stderr


def test_localstacks_wrapper_of_the_cdk_deploys_the_same(up: Program) -> None:
    ended = up("up", "--target", "embedded", "--stack-name", "Wrapped", "--deploy-with", "cdklocal")

    assert ended.exit_code == ExitCode.OK, ended.stderr
    plain, wrapped = up.status("--stack-name", "Tidemark"), up.status("--stack-name", "Wrapped")
    assert wrapped["template_digest"] == plain["template_digest"]
    up.succeeds("destroy", "--stack-name", "Wrapped")


def test_a_target_whose_key_is_gone_is_started_anew_and_the_stack_deployed(up: Program) -> None:
    key = up.state / "embedded/key.json"
    key.unlink()

    asked = up("status")
    again = up("up", "--target", "embedded")

    assert asked.exit_code == ExitCode.FAILED
    assert f"({key}): `tidemark up` starts it anew, empty." in asked.stderr
    assert f"({key}): it is started anew, empty." in again.stderr
    assert up.status()["dead_letters"] == 0
