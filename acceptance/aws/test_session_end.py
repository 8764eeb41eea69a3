"""However a test session on AWS ends, its stacks are removed, or named with what removes them."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from acceptance.aws.conftest import ACCOUNT
from acceptance.aws.small_stack import RecordingCdk, write_app
from tidemark.aws import stacks
from tidemark.deploy import bringup, first_deposit, rollout
from tidemark.deploy.first_deposit import DoesNotWorkError, FirstDeposit
from tidemark.deploy.synthesis import OWN_COMMAND
from tidemark.errors import InterruptedByUserError, NotStartedError, TidemarkError
from tidemark.host.locking import locked
from tidemark.host.progress import Steps
from tidemark.targets.aws import AwsTarget
from tidemark.testing import session, testbed
from tidemark.testing.options import Plan
from tidemark.testing.testbed import Testbed

if TYPE_CHECKING:
    from pathlib import Path

    import boto3

    from acceptance.aws.conftest import Run
    from tidemark.aws.clients import AwsClients
    from tidemark.host.processes import Finished


@pytest.fixture
def bed(
    account: boto3.Session,  # noqa: ARG001 -- what it deploys to
    checkout: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Testbed:
    """A testbed on moto's account, whose API nobody asks."""
    write_app(checkout)
    monkeypatch.setenv("TIDEMARK_AWS_ACCOUNT", ACCOUNT)
    monkeypatch.setattr(testbed, "Cdk", RecordingCdk)
    monkeypatch.setattr(first_deposit, "make", lambda *_: FirstDeposit("a", 1, 1, 0, 0, 0))
    return Testbed(
        Plan("aws", None, checkout, OWN_COMMAND), tmp_path / "pytest" / "session", Steps()
    )


def stacks_of(account: boto3.Session) -> set[str]:
    found = account.client("cloudformation").describe_stacks()["Stacks"]
    return {stack["StackName"] for stack in found} - {"CDKToolkit"}


def fail(*_: object) -> NoReturn:
    raise DoesNotWorkError("It does not work.")


def test_a_stack_that_does_not_work_is_removed(
    account: boto3.Session, bed: Testbed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(first_deposit, "make", fail)
    with pytest.raises(TidemarkError, match="It does not work"):
        bed.deploy()
    assert len(stacks_of(account)) == 1

    bed.remove()

    assert stacks_of(account) == set()
    assert bed.left == []


def test_a_stack_that_is_not_whole_is_removed(
    account: boto3.Session, bed: Testbed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rollout, "_OUTPUTS_WITHIN_S", 0.0)
    monkeypatch.setattr(stacks, "live_digest", lambda *_: "another")
    with pytest.raises(TidemarkError, match="is not the synthesised one"):
        bed.deploy()

    bed.remove()

    assert stacks_of(account) == set()


@pytest.fixture
def interrupted(bed: Testbed, monkeypatch: pytest.MonkeyPatch) -> Testbed:
    """A testbed whose deploy the user interrupted when the stack was there."""
    run = RecordingCdk.run

    def interrupt(self: RecordingCdk, verb: str, *rest: Any, **more: Any) -> Finished:
        finished = run(self, verb, *rest, **more)
        if verb == "deploy":
            raise KeyboardInterrupt
        return finished

    monkeypatch.setattr(RecordingCdk, "run", interrupt)
    with pytest.raises(InterruptedByUserError) as ended:
        bed.deploy()
    assert str(ended.value) == "Interrupted."  # and not that `tidemark up` would go on from there
    return bed


def test_a_stack_whose_deploy_the_user_interrupted_is_removed(
    account: boto3.Session, interrupted: Testbed
) -> None:
    assert len(stacks_of(account)) == 1

    interrupted.remove()

    assert stacks_of(account) == set()
    assert interrupted.left == []


def test_it_is_kept_if_the_session_is_to_keep_and_removed_by_what_is_said(
    account: boto3.Session, interrupted: Testbed, monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    [command] = interrupted.keep()

    assert_deletes(command, run, monkeypatch)

    assert stacks_of(account) == set()


def test_one_stack_that_stays_is_named_and_the_others_are_removed(
    account: boto3.Session, bed: Testbed, monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    first = bed.deploy().deployment.stack_name
    second = bed.deploy(size="small").deployment.stack_name
    delete = stacks.delete

    def refused(clients: AwsClients, stack_name: str) -> bool:
        if stack_name == first:
            raise TidemarkError("It cannot be deleted: Bucket is not empty.")
        return delete(clients, stack_name)

    with monkeypatch.context() as patched:
        patched.setattr(stacks, "delete", refused)
        bed.remove()

    assert stacks_of(account) == {first} != {second}
    [left] = bed.left
    said, _, command = left.partition("; to remove it: ")
    assert said == f"{first} on aws is left (It cannot be deleted: Bucket is not empty)"
    assert_deletes(command, run, monkeypatch)
    assert stacks_of(account) == set()
    assert bed.left == []


def test_where_aws_refuses_the_credentials_meanwhile_every_stack_is_named(
    account: boto3.Session, bed: Testbed, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = {bed.deploy().deployment.stack_name, bed.deploy(size="small").deployment.stack_name}

    def expired(_: AwsTarget) -> NoReturn:
        raise TidemarkError("AWS refuses these credentials (ExpiredToken): log in again.")

    monkeypatch.setattr(AwsTarget, "start", expired)
    bed.remove()

    assert {line.partition(" ")[0] for line in bed.left} == names == stacks_of(account)
    assert all("(AWS refuses these credentials (ExpiredToken): log in" in one for one in bed.left)


def test_a_bug_while_one_stack_is_deleted_keeps_no_other(
    account: boto3.Session, bed: Testbed, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = bed.deploy().deployment.stack_name
    bed.deploy(size="small")
    delete = stacks.delete

    def wrong(clients: AwsClients, stack_name: str) -> bool:
        if stack_name == first:
            raise KeyError(stack_name)
        return delete(clients, stack_name)

    monkeypatch.setattr(stacks, "delete", wrong)
    bed.remove()

    assert stacks_of(account) == {first}
    assert f"KeyError('{first}')" in bed.left[0]


def test_a_removal_that_the_user_interrupts_names_what_is_left(
    bed: Testbed, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = bed.deploy().deployment.stack_name

    def interrupted(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    monkeypatch.setattr(stacks, "delete", interrupted)
    with pytest.raises(KeyboardInterrupt):
        bed.remove()

    [left] = bed.left
    assert left.startswith(f"{name} on aws is left; to remove it: TIDEMARK_STATE_DIR=")


def test_what_never_began_is_not_left(
    account: boto3.Session, bed: Testbed, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> NoReturn:
        raise NotStartedError("No.")

    monkeypatch.setattr(bringup.BringUp, "_ask", refuse)
    with pytest.raises(NotStartedError):
        bed.deploy()
    monkeypatch.setattr(AwsTarget, "start", fail)

    bed.remove()

    assert stacks_of(account) == set()
    assert bed.left == []
    assert not bed.state.exists()


def test_each_stack_that_is_kept_has_the_command_that_removes_it(
    account: boto3.Session, bed: Testbed, monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    names = {bed.deploy().deployment.stack_name, bed.deploy(size="small").deployment.stack_name}

    commands = bed.keep()

    assert {one.rpartition(" ")[2] for one in commands} == names
    for command in commands:
        assert_deletes(command, run, monkeypatch)
    assert stacks_of(account) == set()


@pytest.fixture
def killed(bed: Testbed) -> Testbed:
    """A testbed whose session was killed when its stack was there."""
    with locked(bed.state):
        bed.deploy()
    return bed


def test_the_next_session_deletes_what_a_killed_one_left(
    account: boto3.Session, killed: Testbed, tmp_path: Path
) -> None:
    [name] = stacks_of(account)
    with locked(killed.state):
        assert list(session.heal(tmp_path)) == []
    assert stacks_of(account) == {name}

    assert list(session.heal(tmp_path)) == [f"An earlier run was killed. {name} on aws is deleted."]

    assert stacks_of(account) == set()
    assert not killed.state.exists()


@pytest.mark.parametrize(
    ("named", "why"),
    [
        (None, "TIDEMARK_AWS_ACCOUNT does not name its account"),
        ("210987654321", "The stack is recorded in account 123456789012, and TIDEMARK_AWS_ACCOUNT"),
    ],
)
def test_one_that_is_told_of_no_such_account_names_it_until_it_is_gone(
    account: boto3.Session,
    killed: Testbed,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    run: Run,
    named: str | None,
    why: str,
) -> None:
    [name] = stacks_of(account)
    monkeypatch.delenv("TIDEMARK_AWS_ACCOUNT")
    if named is not None:
        monkeypatch.setenv("TIDEMARK_AWS_ACCOUNT", named)

    for _ in range(2):
        [line] = session.heal(tmp_path)
        said, _, command = line.partition("; to remove it: ")
        assert said.startswith(f"An earlier run was killed. {name} on aws is left ({why}")
    monkeypatch.delenv("TIDEMARK_AWS_ACCOUNT", raising=False)
    assert_deletes(command, run, monkeypatch)

    assert list(session.heal(tmp_path)) == []
    assert stacks_of(account) == set()
    assert not killed.state.exists()


def assert_deletes(command: str, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Do what a sentence says."""
    setting, program, *arguments = shlex.split(command)
    variable, _, state = setting.partition("=")
    assert program == "tidemark"
    with monkeypatch.context() as patched:
        patched.setenv(variable, state)
        ended = run(*arguments, "--yes")
    assert ended.exit_code == 0, ended.stderr
