"""Deleting a stack on AWS: what it holds is shown first, and nothing else is ever deleted."""

from __future__ import annotations

import io
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from acceptance.aws.conftest import ACCOUNT, REGION
from acceptance.aws.small_stack import Person, bring_up, write_app
from tidemark import targets
from tidemark.aws import stacks
from tidemark.aws.clients import AwsClients
from tidemark.deploy import holdings, teardown
from tidemark.errors import NotStartedError
from tidemark.host.deployment import Deployment, path_of
from tidemark.targets.base import TargetOptions

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import boto3
    from mypy_boto3_cloudformation.type_defs import TagTypeDef

    from acceptance.aws.conftest import Run

OUR_TAGS: Sequence[TagTypeDef] = [{"Key": "project", "Value": "tidemark"}]


@pytest.fixture
def deployment(account: boto3.Session, tmp_path: Path, checkout: Path) -> Deployment:
    """A stack on AWS, recorded, with three items and a message."""
    write_app(checkout)
    target = targets.create("aws", TargetOptions(state=tmp_path / "state"))
    [deployed] = bring_up(target, checkout, Person()).deploy()
    table = account.resource("dynamodb").Table(deployed.outputs["CommandTableName"])
    for number in range(3):
        table.put_item(Item={"pk": str(number)})
    queue = account.resource("sqs").get_queue_by_name(QueueName=deployed.outputs["QueueName"])
    queue.send_message(MessageBody="one")
    return deployed


def names_of_stacks(account: boto3.Session) -> set[str]:
    stacks_there = account.client("cloudformation").describe_stacks()["Stacks"]
    return {one["StackName"] for one in stacks_there}


def test_what_a_stack_holds_is_counted(deployment: Deployment) -> None:
    held = holdings.describe(deployment.outputs, AwsClients(targets.connection_to(deployment)))
    counts = [one.partition(": ")[2] for one in held]

    assert counts == ["3 items", "0 items", "1 messages", "0 messages"]


def test_a_table_of_more_than_a_page_is_said_to_hold_at_least_so_much(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    clients = AwsClients(targets.connection_to(deployment))
    page = {"Count": 4321, "LastEvaluatedKey": {"pk": {"S": "1"}}}
    monkeypatch.setattr(clients.dynamodb, "scan", lambda **_: page)

    first = next(holdings.describe(deployment.outputs, clients))

    assert first.endswith(": at least 4,321 items")


def test_deleting_shows_it_and_asks_and_leaves_the_rest(
    account: boto3.Session, deployment: Deployment, tmp_path: Path
) -> None:
    person = Person()

    said = teardown.destroy(tmp_path / "state", deployment, person)

    assert said == "Tidemark on aws is deleted."
    assert f"AWS account {ACCOUNT}, region {REGION}, as arn:aws:sts::" in person.read[0]
    assert sum(line.endswith(("3 items", "1 messages")) for line in person.read) == 2
    assert person.asked == [f"Delete Tidemark in account {ACCOUNT}, {REGION}?"]
    assert names_of_stacks(account) == {"CDKToolkit"}
    assert not path_of("aws", "Tidemark", tmp_path / "state").exists()


def test_who_says_no_has_deleted_nothing(
    account: boto3.Session, deployment: Deployment, tmp_path: Path
) -> None:
    with pytest.raises(NotStartedError):
        teardown.destroy(tmp_path / "state", deployment, Person(answer=False))

    assert "Tidemark" in names_of_stacks(account)
    assert path_of("aws", "Tidemark", tmp_path / "state").exists()


def test_a_protected_stack_is_refused_and_how_to_lift_that_is_said(
    account: boto3.Session,
    deployment: Deployment,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    describe = stacks.describe

    def protected(clients: AwsClients, stack_name: str) -> stacks.LiveStack | None:
        live = describe(clients, stack_name)
        return live and replace(live, is_protected=True)

    monkeypatch.setattr(stacks, "describe", protected)
    person = Person()

    with pytest.raises(NotStartedError, match=r"protected from deletion.*--retention destroy"):
        teardown.destroy(tmp_path / "state", deployment, person)

    assert person.asked == []
    assert "Tidemark" in names_of_stacks(account)


def test_a_stack_that_is_gone_is_forgotten_without_a_question(
    account: boto3.Session, deployment: Deployment, tmp_path: Path
) -> None:
    account.client("cloudformation").delete_stack(StackName="Tidemark")
    person = Person()

    said = teardown.destroy(tmp_path / "state", deployment, person)

    assert said == f"There was no Tidemark on aws in {REGION}: nothing to delete."
    assert person.asked == []
    assert not path_of("aws", "Tidemark", tmp_path / "state").exists()


def test_plain_down_leaves_aws_alone_and_says_so(
    account: boto3.Session, deployment: Deployment, run: Run, tmp_path: Path
) -> None:
    del deployment
    ended = run("down")

    assert ended.exit_code == 0
    assert "Tidemark on aws (eu-west-1) stays: `tidemark down --target aws`" in ended.stdout
    assert "Tidemark" in names_of_stacks(account)
    assert path_of("aws", "Tidemark", tmp_path / "state").exists()


def test_down_with_yes_deletes_the_stack(
    account: boto3.Session, deployment: Deployment, run: Run
) -> None:
    del deployment
    ended = run("down", "--target", "aws", "--yes")

    assert ended.exit_code == 0
    assert "3 items" in ended.stderr
    assert "Yes, by --yes." in ended.stderr
    assert names_of_stacks(account) == {"CDKToolkit"}


class Terminal(io.StringIO):
    """Somebody who types."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("typed", "exit_code", "said", "left"),
    [
        ("y\n", 0, "Tidemark on aws is deleted.", {"CDKToolkit"}),
        ("n\n", 64, "Nothing was changed.", {"CDKToolkit", "Tidemark"}),
        ("\n", 64, "Nothing was changed.", {"CDKToolkit", "Tidemark"}),
        ("", 130, "Interrupted; nothing was changed.", {"CDKToolkit", "Tidemark"}),
    ],
)
def test_on_a_terminal_the_answer_counts_and_is_no_by_default(
    account: boto3.Session,
    deployment: Deployment,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    typed: str,
    exit_code: int,
    said: str,
    left: set[str],
) -> None:
    del deployment
    monkeypatch.setattr(sys, "stdin", Terminal(typed))

    ended = run("down", "--target", "aws")

    assert ended.exit_code == exit_code
    assert said in ended.stdout + ended.stderr
    assert f"Delete Tidemark in account {ACCOUNT}, {REGION}?" in ended.stderr
    assert names_of_stacks(account) == left


@pytest.mark.parametrize("verb", ["status", "destroy", "deploy", "diff", "logs"])
def test_the_other_verbs_want_aws_to_be_named(deployment: Deployment, run: Run, verb: str) -> None:
    del deployment
    ended = run(verb)

    assert ended.exit_code == 64
    assert "Tidemark on aws: say so with --target aws" in ended.sentence


def test_what_another_machine_deployed_is_found(
    deployment: Deployment, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path_of("aws", "Tidemark", tmp_path / "state").unlink()
    seen: list[Deployment] = []

    def report(found: Deployment, _: AwsClients) -> dict[str, Any]:
        seen.append(found)
        return {}

    monkeypatch.setattr("tidemark.deploy.status.report", report)

    run("status", "--target", "aws", "--json")

    assert seen == [deployment]


@pytest.mark.usefixtures("account")
@pytest.mark.parametrize("verb", ["status", "deploy"])
def test_a_stack_that_is_not_there_is_said_to_be_so(run: Run, verb: str) -> None:
    ended = run(verb, "--target", "aws", "--stack-name", "Second")

    assert ended.exit_code == 64
    assert "There is no stack Second on aws (account 123456789012, eu-west-1)" in ended.sentence


@pytest.mark.parametrize("verb", ["down", "destroy"])
def test_deleting_twice_is_fine(
    account: boto3.Session, deployment: Deployment, run: Run, verb: str
) -> None:
    del deployment
    first, second = (run(verb, "--target", "aws", "--yes") for _ in range(2))

    assert (first.exit_code, first.stdout) == (0, "Tidemark on aws is deleted.\n")
    assert second.exit_code == 0
    assert second.stdout == f"There was no Tidemark on aws in {REGION}: nothing to delete.\n"
    assert names_of_stacks(account) == {"CDKToolkit"}


@pytest.mark.parametrize(
    ("status", "tags"),
    [
        ("CREATE_IN_PROGRESS", OUR_TAGS),
        ("ROLLBACK_COMPLETE", OUR_TAGS),
        ("CREATE_COMPLETE", OUR_TAGS),
        ("REVIEW_IN_PROGRESS", []),
    ],
)
def test_a_stack_that_never_became_whole_is_deleted(
    account: boto3.Session,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    status: str,
    tags: Sequence[TagTypeDef],
) -> None:
    """It was not recorded, because its deploy did not end well, and it has no outputs."""
    account.client("cloudformation").create_stack(
        StackName="Tidemark",
        TemplateBody='{"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}}',
        Tags=tags,
    )
    describe = stacks.describe
    left = [status]

    def described(clients: AwsClients, stack_name: str) -> stacks.LiveStack | None:
        """The stack is in that state, which ends by itself if it is one that does."""
        live = describe(clients, stack_name)
        ended = status.replace("CREATE_IN_PROGRESS", "ROLLBACK_COMPLETE")
        return live and replace(live, status=left.pop() if left else ended)

    monkeypatch.setattr(stacks, "describe", described)

    ended = run("down", "--target", "aws", "--yes")

    assert ended.exit_code == 0, ended.stderr
    assert "no table or queue that its outputs name" in ended.stderr
    assert ended.stdout == "Tidemark on aws is deleted.\n"
    assert names_of_stacks(account) == set()


def test_what_a_stack_holds_is_read_when_its_change_has_ended(
    deployment: Deployment, tmp_path: Path
) -> None:
    person = Person()

    teardown.destroy(tmp_path / "state", replace(deployment, outputs={}), person)

    assert sum(line.endswith(("3 items", "1 messages")) for line in person.read) == 2


def test_a_stack_of_that_name_that_is_somebody_elses_is_not_deleted(
    account: boto3.Session, run: Run
) -> None:
    account.client("cloudformation").create_stack(
        StackName="Theirs",
        TemplateBody='{"Resources": {"Theirs": {"Type": "AWS::SQS::Queue"}}}',
    )

    ended = run("down", "--target", "aws", "--yes", "--stack-name", "Theirs")

    assert ended.exit_code == 64
    assert "is not of Tidemark's making" in ended.sentence
    assert "Theirs" in names_of_stacks(account)
