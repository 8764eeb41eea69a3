"""Who may take on the roles that deploy to AWS, and what they may do there."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from tests.project.reading import ROOT
from tidemark.permissions.policies import statements_of_role, statements_on
from tidemark.permissions.statements import Request, is_allowed
from tidemark.permissions.template import ACCOUNT, REGION, Template
from tools import aws_roles
from tools.aws_roles import PROVIDER, Roles

if TYPE_CHECKING:
    from collections.abc import Mapping

TEMPLATE = Template(Roles("ada/tidemark", "testbed", "Tidemark").template())
DEPLOY_JOB = {
    "aud": "sts.amazonaws.com",
    "sub": "repo:ada/tidemark:environment:testbed",
    "repository": "ada/tidemark",
    "environment": "testbed",
    "ref": "refs/heads/main",
}
DIFF_JOB = {
    "aud": "sts.amazonaws.com",
    "sub": "repo:ada/tidemark:pull_request",
    "repository": "ada/tidemark",
    "ref": "refs/pull/7/merge",
}
# Of a repository that was made since subjects have ids.
WITH_IDS = "repo:ada@1815/tidemark@1843:"


def is_trusted(role: str, claims: Mapping[str, str], template: Template = TEMPLATE) -> bool:
    """Whether a job whose token has these claims may take a role on."""
    request = Request(
        "sts:AssumeRoleWithWebIdentity",
        resource="",
        principal=f"arn:aws:iam::{ACCOUNT}:oidc-provider/{PROVIDER}",
        context={f"{PROVIDER}:{claim}": (value,) for claim, value in claims.items()},
    )
    return is_allowed(request, statements_on(template, template.resources[role]))


def may(role: str, action: str, resource: str) -> bool:
    """Whether a role may do something in its account and region, unless the ARN names others."""
    arn = resource if resource.startswith("arn:") else f"arn:aws:{resource}"
    arn = arn.format(account=ACCOUNT, region=REGION)
    statements = statements_of_role(TEMPLATE, TEMPLATE.resources[role])
    return is_allowed(Request(action, arn), statements)


def test_a_deploy_from_main_in_the_environment_is_trusted() -> None:
    assert is_trusted("DeployRole", DEPLOY_JOB)
    assert is_trusted("DeployRole", DEPLOY_JOB | {"sub": WITH_IDS + "environment:testbed"})


@pytest.mark.parametrize(
    "changed",
    [
        {"ref": "refs/heads/mine"},
        {"ref": "refs/tags/main"},
        {"ref": "refs/pull/7/merge"},
        {"environment": "production", "sub": "repo:ada/tidemark:environment:production"},
        {"environment": "production"},
        {"sub": "repo:ada/tidemark:ref:refs/heads/main"},
        {"repository": "eve/tidemark", "sub": "repo:eve/tidemark:environment:testbed"},
        {"repository": "ada/tidemark-2", "sub": "repo:ada/tidemark-2:environment:testbed"},
        {"repository": "ada@1/tidemark", "sub": WITH_IDS + "environment:testbed"},
        {"aud": "https://github.com/ada"},
    ],
)
def test_a_deploy_from_elsewhere_is_not(changed: dict[str, str]) -> None:
    assert not is_trusted("DeployRole", DEPLOY_JOB | changed)


@pytest.mark.parametrize("claim", DEPLOY_JOB)
def test_a_token_that_does_not_say_where_from_is_not(claim: str) -> None:
    assert not is_trusted(
        "DeployRole", {key: DEPLOY_JOB[key] for key in DEPLOY_JOB if key != claim}
    )


def test_a_pull_request_may_take_on_the_role_that_looks_and_no_other() -> None:
    assert is_trusted("DiffRole", DIFF_JOB)
    assert is_trusted("DiffRole", DIFF_JOB | {"sub": WITH_IDS + "pull_request"})
    assert not is_trusted("DiffRole", DIFF_JOB | {"repository": "eve/tidemark"})
    assert not is_trusted("DiffRole", DEPLOY_JOB)
    assert not is_trusted("DeployRole", DIFF_JOB)


def test_the_role_that_looks_reads_the_stack_and_changes_nothing() -> None:
    stack = "cloudformation:{region}:{account}:stack/Tidemark/1"
    assert may("DiffRole", "cloudformation:DescribeStacks", stack)
    assert may("DiffRole", "cloudformation:GetTemplate", stack)
    granted = {
        action
        for statement in statements_of_role(TEMPLATE, TEMPLATE.resources["DiffRole"])
        for action in statement.actions
    }
    assert granted == {"cloudformation:DescribeStacks", "cloudformation:GetTemplate"}


def test_the_role_that_deploys_changes_things_by_the_cdks_roles_of_its_region_alone() -> None:
    role = "arn:aws:iam::{account}:role/cdk-hnb659fds-deploy-role-{account}-{region}"
    assert may("DeployRole", "sts:AssumeRole", role)
    assert not may("DeployRole", "sts:AssumeRole", role.replace("{region}", "us-east-1"))
    assert not may("DeployRole", "sts:AssumeRole", "arn:aws:iam::{account}:role/Admin")
    assert not may("DeployRole", "iam:PassRole", role)


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("cloudformation:DeleteStack", "cloudformation:{region}:{account}:stack/Theirs/1"),
        ("cloudformation:DeleteStack", "cloudformation:{region}:{account}:stack/Tidemark-2/1"),
        ("cloudformation:GetTemplate", "cloudformation:{region}:{account}:stack/Theirs/1"),
        ("dynamodb:GetItem", "dynamodb:{region}:{account}:table/Theirs"),
        ("dynamodb:PutItem", "dynamodb:{region}:{account}:table/Tidemark-CommandTable"),
        ("lambda:InvokeFunction", "lambda:{region}:{account}:function:Theirs"),
        ("logs:FilterLogEvents", "logs:{region}:{account}:log-group:Theirs:*"),
        ("sqs:GetQueueUrl", "sqs:eu-central-1:{account}:Tidemark-Queue"),
    ],
)
def test_what_is_not_the_stacks_is_out_of_reach(action: str, resource: str) -> None:
    assert not may("DeployRole", action, resource)


def test_where_no_repository_is_named_nobody_is_trusted(
    capsys: pytest.CaptureFixture[str],
) -> None:
    aws_roles.main([])

    printed = capsys.readouterr()
    assert printed.err == "Nobody is trusted yet: name your repository, REPOSITORY=owner/name.\n"
    template = Template(json.loads(printed.out))
    assert not is_trusted("DeployRole", DEPLOY_JOB, template)
    assert not is_trusted("DiffRole", DIFF_JOB, template)
    # No owner on GitHub has such a name.
    assert "repo:<owner>/<repository>:pull_request" in printed.out


@pytest.mark.parametrize(
    "arguments",
    [
        ["--repository", "ada"],
        ["--repository", "ada/*"],
        ["--repository", "*/tidemark"],
        ["--repository", "ada/tidemark:environment:testbed"],
        ["--repository", "ada/tidemark", "--environment", "*"],
        ["--repository", "ada/tidemark", "--stack-name", "*"],
        ["--repository", "ada/tidemark", "--stack-name", "${AWS::StackName}"],
    ],
)
def test_what_is_no_name_and_would_trust_more_is_refused(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        aws_roles.main(arguments)

    assert ended.value.code == 64
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "give it the form" in printed.err


def test_the_outputs_are_called_as_the_workflows_variables() -> None:
    workflow = (ROOT / ".github/workflows/deploy.yml").read_text(encoding="utf-8")
    read = {name.replace("_", "") for name in re.findall(r"vars\.(AWS_\w*ROLE_ARN)", workflow)}

    assert {name.upper() for name in TEMPLATE.content["Outputs"]} == read
