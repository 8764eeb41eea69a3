"""The machines of a load run: what they may do, and that nothing of them stays."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk import Validations
from aws_cdk import aws_ecs as ecs
from cdk_nag import AwsSolutionsChecks

from stack.app import new_app
from stack.load_stack import MASTER_PORT, STACK_ID, LoadStack, image
from tests.stack.conftest import Template, findings

if TYPE_CHECKING:
    from pathlib import Path

LOADED = {
    "StackName": "Tidemark",
    "RestApiId": "a1b2",
    "ApiStage": "v1",
    "CommandTableName": "commands",
    "QueryTableName": "queries",
    "QueueName": "queue",
    "DeadLetterQueueName": "letters",
    "UpdateProcessorName": "processor",
}


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> Template:
    outdir: Path = tmp_path_factory.mktemp("load")
    app = new_app(outdir)
    some = ecs.ContainerImage.from_registry("example.com/load:1")
    stack = LoadStack(app, STACK_ID, image=some, loaded=LOADED)
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    with contextlib.suppress(RuntimeError):
        app.synth()
    content = json.loads((outdir / stack.template_file).read_text())
    return Template("load", content, list(findings(outdir / "validation-report.json")))


def statements(machines: Template) -> list[dict[str, Any]]:
    """What the tasks may do: the role that the harness uses, not the one that pulls the image."""
    [role] = [one for one in machines.resources("AWS::IAM::Role").values() if "Policies" in one]
    return [one for policy in role["Policies"] for one in policy["PolicyDocument"]["Statement"]]


def test_the_rules_of_aws_solutions_hold(machines: Template) -> None:
    assert machines.findings == []


def test_tasks_call_one_api_read_what_it_left_and_write_one_bucket(machines: Template) -> None:
    may = {
        action
        for one in statements(machines)
        for action in ([one["Action"]] if isinstance(one["Action"], str) else one["Action"])
    }
    assert may == {
        "dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query", "dynamodb:Scan",
        "execute-api:Invoke", "lambda:GetFunctionConfiguration", "logs:FilterLogEvents",
        "s3:PutObject", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes",
        "sqs:GetQueueUrl", "sqs:ReceiveMessage",
    }  # fmt: skip
    text = json.dumps(statements(machines))
    for name in ("a1b2/v1/*", "table/commands", "table/queries", ":queue", ":letters"):
        assert name in text
    assert '"Resource": "*"' not in text


def test_nothing_comes_in_but_workers_to_their_master(machines: Template) -> None:
    [rule] = machines.resources("AWS::EC2::SecurityGroupIngress").values()
    assert (rule["FromPort"], rule["ToPort"]) == (MASTER_PORT, MASTER_PORT)
    assert "CidrIp" not in rule
    assert rule["SourceSecurityGroupId"] == rule["GroupId"]
    [group] = machines.resources("AWS::EC2::SecurityGroup").values()
    assert "SecurityGroupIngress" not in group


def test_there_is_nothing_that_costs_by_the_hour_or_starts_by_itself(machines: Template) -> None:
    kinds = {one["Type"] for one in machines.content["Resources"].values()}
    assert not kinds & {
        "AWS::EC2::NatGateway", "AWS::EC2::EIP", "AWS::ECS::Service",
        "AWS::ElasticLoadBalancingV2::LoadBalancer", "AWS::Lambda::Function",
    }  # fmt: skip


def test_it_goes_as_a_whole(machines: Template) -> None:
    policies = {
        one.get("DeletionPolicy", "Delete") for one in machines.content["Resources"].values()
    }
    assert policies == {"Delete"}


def test_the_outputs_are_what_starting_a_task_needs(machines: Template) -> None:
    assert set(machines.content["Outputs"]) == {
        "ClusterName", "RunsBucketName", "SecurityGroupId", "SubnetId", "TaskDefinitionArn"
    }  # fmt: skip


def test_no_queue_is_asked_of_the_direct_wiring(tmp_path: Path) -> None:
    app = new_app(tmp_path)
    some = ecs.ContainerImage.from_registry("example.com/load:1")
    loaded = {name: value for name, value in LOADED.items() if name != "QueueName"}
    LoadStack(app, STACK_ID, image=some, loaded=loaded)
    app.synth()
    assert ":queue" not in (tmp_path / f"{STACK_ID}.template.json").read_text()


def test_the_image_is_made_of_the_harness_and_nothing_else_of_the_checkout(tmp_path: Path) -> None:
    app = new_app(tmp_path)
    LoadStack(app, STACK_ID, image=image(), loaded=LOADED)
    app.synth()
    [asset] = tmp_path.glob("asset.*")
    held = {one.name for one in asset.iterdir() if not one.name.startswith(".dockerignore")}
    assert held == {"LICENSE", "README.md", "loadtest", "pyproject.toml", "tidemark", "uv.lock"}
    assert not list(asset.rglob("__pycache__"))
