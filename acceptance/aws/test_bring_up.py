"""Bringing a stack up on AWS: what is shown, asked, made once, and left alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError

from acceptance.aws.conftest import ACCOUNT, LOG_ROLE, REGION
from acceptance.aws.small_stack import Person, RecordingCdk, bring_up, template, write_app
from tidemark import targets
from tidemark.aws.clients import AwsClients
from tidemark.aws.stacks import LiveStack, template_digest
from tidemark.deploy import kept
from tidemark.errors import NotStartedError, TidemarkError
from tidemark.targets import aws_log_role
from tidemark.targets.base import Target, TargetOptions

if TYPE_CHECKING:
    from pathlib import Path

    import boto3

    from acceptance.aws.conftest import Run
    from tidemark.host.deployment import Deployment


@pytest.fixture
def aws(tmp_path: Path) -> Target:
    return targets.create("aws", TargetOptions(state=tmp_path / "state"))


@pytest.fixture(autouse=True)
def _app(checkout: Path) -> None:
    write_app(checkout)


def deploy(aws: Target, checkout: Path, agree: Person, **options: Any) -> tuple[Deployment, Any]:
    brought = bring_up(aws, checkout, agree, **options)
    [deployment] = brought.deploy()
    return deployment, cast("RecordingCdk", brought.cdk)


def stack_of(account: boto3.Session, name: str = "Tidemark") -> dict[str, Any]:
    [found] = account.client("cloudformation").describe_stacks(StackName=name)["Stacks"]
    return dict(found)


def test_a_first_deploy_shows_where_what_and_how_much(
    fresh_account: boto3.Session, aws: Target, checkout: Path
) -> None:
    person = Person()

    deployment, cdk = deploy(aws, checkout, person, tags={"team": "x"})

    shown = "\n".join(person.read)
    assert f"AWS account {ACCOUNT}, region {REGION}, as arn:aws:sts::{ACCOUNT}:" in shown
    assert "Tidemark is not there yet. This creates:" in shown
    assert "stack Tidemark: 4 resources (2 Table, 2 Queue" in shown
    assert "stack CDKToolkit" in shown
    assert f"IAM role {aws_log_role.ROLE_NAME}" in shown
    assert "tags: team=x, project=tidemark" in shown
    assert "tables: removed with the stack" in shown
    assert "Idle, it costs about $" in shown
    assert person.asked == [f"Create Tidemark in account {ACCOUNT}, {REGION}?"]
    assert cdk.verbs == ["bootstrap", "deploy"]
    assert cdk.told[0] == ("bootstrap", [f"aws://{ACCOUNT}/{REGION}"])
    tags = {one["Key"]: one["Value"] for one in stack_of(fresh_account)["Tags"]}
    assert tags == {"team": "x", "project": "tidemark"}
    assert deployment.endpoint is None
    assert deployment.api_url == f"https://a1b2.execute-api.{REGION}.amazonaws.com/v1"
    assert deployment.settings == {"account": ACCOUNT, "region": REGION}
    assert deployment.template_digest == template_digest(template())


def test_who_says_no_has_changed_nothing(
    fresh_account: boto3.Session, aws: Target, checkout: Path
) -> None:
    person = Person(answer=False)
    brought = bring_up(aws, checkout, person)

    with pytest.raises(NotStartedError):
        brought.deploy()

    assert len(person.asked) == 1
    assert cast("RecordingCdk", brought.cdk).told == []
    assert fresh_account.client("iam").list_roles()["Roles"] == []
    assert "cloudwatchRoleArn" not in fresh_account.client("apigateway").get_account()
    assert not (aws.options.state / "failed").exists()


@pytest.mark.usefixtures("account")
def test_a_caller_who_was_not_asked_has_not_agreed(aws: Target, checkout: Path) -> None:
    from tidemark.deploy import consent  # noqa: PLC0415 -- what a caller has who says nothing

    with pytest.raises(NotStartedError, match="This wants consent and there is nobody to ask"):
        bring_up(aws, checkout, consent.nobody).deploy()


@pytest.mark.usefixtures("account")
def test_a_second_deploy_of_the_same_asks_nothing_and_runs_nothing(
    aws: Target, checkout: Path
) -> None:
    deploy(aws, checkout, Person())
    person = Person()

    _, cdk = deploy(aws, checkout, person)

    assert person.asked == []
    assert cdk.verbs == []


@pytest.mark.usefixtures("account")
def test_a_change_is_asked_about_and_bootstraps_no_more(aws: Target, checkout: Path) -> None:
    deploy(aws, checkout, Person())
    write_app(checkout, "changed")
    person = Person()

    _, cdk = deploy(aws, checkout, person)

    assert person.asked == [f"Update Tidemark in account {ACCOUNT}, {REGION}?"]
    assert not any("CDKToolkit" in line or "IAM role" in line for line in person.read)
    assert cdk.verbs == ["deploy"]


def test_an_update_keeps_tags_that_others_gave(
    account: boto3.Session, aws: Target, checkout: Path
) -> None:
    deploy(aws, checkout, Person(), tags={"team": "x"})
    write_app(checkout, "changed")

    deploy(aws, checkout, Person(), tags={"cost": "1"})

    tags = {one["Key"]: one["Value"] for one in stack_of(account)["Tags"]}
    assert tags == {"team": "x", "cost": "1", "project": "tidemark"}


def test_a_new_tag_alone_is_a_change(account: boto3.Session, aws: Target, checkout: Path) -> None:
    deploy(aws, checkout, Person())

    deploy(aws, checkout, Person(), tags={"team": "x"})

    assert {"Key": "team", "Value": "x"} in stack_of(account)["Tags"]


def test_the_log_role_is_made_once_and_trusts_the_gateway_alone(
    fresh_account: boto3.Session, aws: Target, checkout: Path
) -> None:
    deploy(aws, checkout, Person())

    role = fresh_account.client("iam").get_role(RoleName=aws_log_role.ROLE_NAME)["Role"]
    [statement] = cast("Any", role["AssumeRolePolicyDocument"])["Statement"]
    assert statement["Principal"] == {"Service": "apigateway.amazonaws.com"}
    attached = fresh_account.client("iam").list_attached_role_policies(
        RoleName=aws_log_role.ROLE_NAME
    )
    assert [one["PolicyName"] for one in attached["AttachedPolicies"]] == [
        "AmazonAPIGatewayPushToCloudWatchLogs"
    ]
    settings = fresh_account.client("apigateway").get_account()
    assert settings["cloudwatchRoleArn"] == role["Arn"]


def test_a_log_role_that_the_account_has_is_left_alone(
    account: boto3.Session, aws: Target, checkout: Path
) -> None:
    person = Person()

    deploy(aws, checkout, person)

    assert not any("IAM role" in line for line in person.read)
    assert account.client("apigateway").get_account()["cloudwatchRoleArn"] == LOG_ROLE
    assert account.client("iam").list_roles()["Roles"] == []


def test_a_stack_of_that_name_that_is_somebody_elses_is_never_touched(
    account: boto3.Session, aws: Target, checkout: Path
) -> None:
    account.client("cloudformation").create_stack(
        StackName="Tidemark",
        TemplateBody='{"Resources": {"Theirs": {"Type": "AWS::SQS::Queue"}}}',
    )
    person = Person()

    with pytest.raises(NotStartedError, match="not of Tidemark's making"):
        deploy(aws, checkout, person)

    assert person.asked == []


@pytest.mark.usefixtures("account")
def test_nor_is_it_used_where_it_is_the_very_same(
    aws: Target, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deploy(aws, checkout, Person())
    monkeypatch.setattr(LiveStack, "is_ours", False)

    with pytest.raises(NotStartedError, match="not of Tidemark's making"):
        deploy(aws, checkout, Person())


def test_a_change_set_that_an_interrupted_deploy_left_is_no_stack_of_somebody_else(
    account: boto3.Session, aws: Target, checkout: Path
) -> None:
    """AWS gives a stack its tags when its first change set is executed."""
    account.client("cloudformation").create_change_set(
        StackName="Tidemark",
        ChangeSetName="first",
        ChangeSetType="CREATE",
        TemplateBody='{"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}}',
    )
    person = Person(answer=False)

    with pytest.raises(NotStartedError, match="consent"):
        deploy(aws, checkout, person)

    assert person.asked == [f"Create Tidemark in account {ACCOUNT}, {REGION}?"]


@pytest.mark.usefixtures("account")
def test_retained_tables_stay_retained_until_somebody_says_otherwise(
    aws: Target, checkout: Path
) -> None:
    person = Person()
    deploy(aws, checkout, person, contexts={"retention": "retain"})
    assert any("kept when the stack goes" in line for line in person.read)
    as_deployed = kept.choices(AwsClients(aws.start()), "Tidemark")
    assert as_deployed == {"wiring": "queued", "retention": "retain"}
    _, cdk = deploy(aws, checkout, Person(), contexts={"retention": "retain"})
    assert cdk.verbs == []

    other = Person(answer=False)
    with pytest.raises(NotStartedError):
        deploy(aws, checkout, other, contexts={"retention": "destroy"})
    assert any("tables: removed with the stack" in line for line in other.read)


@pytest.mark.usefixtures("account")
def test_no_stack_has_nothing_to_keep(aws: Target) -> None:
    assert kept.choices(AwsClients(aws.start()), "Tidemark") == {}


@pytest.mark.usefixtures("account")
@pytest.mark.parametrize("operation", ["GetTemplate", "GetCallerIdentity"])
def test_a_retention_that_cannot_be_read_is_not_taken_for_none(
    aws: Target, checkout: Path, run: Run, monkeypatch: pytest.MonkeyPatch, operation: str
) -> None:
    deploy(aws, checkout, Person(), contexts={"retention": "retain"})
    told: list[Any] = []
    monkeypatch.setattr(RecordingCdk, "run", lambda *arguments, **_: told.append(arguments))
    monkeypatch.setattr("tidemark.cli.stack.Cdk", RecordingCdk)
    call = vars(BaseClient)["_make_api_call"]
    begun: list[str] = []

    def once_throttled(self: BaseClient, name: str, arguments: Any) -> Any:
        begun.append(name)
        if name == operation and begun.count(name) == 1:
            raise ClientError({"Error": {"Code": "Throttling", "Message": "Slow down"}}, name)
        return call(self, name, arguments)

    monkeypatch.setattr(BaseClient, "_make_api_call", once_throttled)

    ended = run("up", "--target", "aws", "--yes")

    assert told == []
    assert ended.exit_code == 70
    assert "Throttling" in ended.sentence


@pytest.mark.usefixtures("account")
@pytest.mark.parametrize("verb", ["bootstrap", "deploy"])
def test_a_failure_says_what_failed(aws: Target, checkout: Path, verb: str) -> None:
    with pytest.raises(TidemarkError, match=f"{verb}.* failed: it failed"):
        deploy(aws, checkout, Person(), fails=[verb])


def test_a_log_role_that_may_not_be_asked_for_is_no_obstacle(
    account: boto3.Session, monkeypatch: pytest.MonkeyPatch, aws: Target
) -> None:
    del account
    connection = aws.start()

    class Gateway:
        def get_account(self) -> None:
            raise ClientError({"Error": {"Code": "AccessDeniedException"}}, "GetAccount")

    monkeypatch.setattr("tidemark.aws.clients.AwsClients.client", lambda *_: Gateway())

    assert aws.preparations(connection) == []


@pytest.mark.usefixtures("account")
def test_up_prints_commands_that_name_the_target(
    run: Run, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tidemark.deploy import first_deposit  # noqa: PLC0415 -- replaced here, because moto runs no functions

    del checkout
    monkeypatch.setattr("tidemark.cli.stack.Cdk", RecordingCdk)
    seen = first_deposit.FirstDeposit("proof-1", 4200, 42, 0, 0, 0)
    monkeypatch.setattr(first_deposit, "make", lambda *_: seen)

    ended = run("up", "--target", "aws", "--yes", "--tag", "team=x")

    assert ended.exit_code == 0, ended.stderr
    assert f"target          aws (AWS, {REGION})" in ended.stdout
    tried = ended.stdout.partition("Try next:")[2].strip().splitlines()
    assert len(tried) == 3
    assert all(line.endswith(" --target aws") for line in tried)
    assert f"Create Tidemark in account {ACCOUNT}, {REGION}? Yes, by --yes." in ended.stderr
