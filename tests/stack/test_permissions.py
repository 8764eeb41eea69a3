"""What each role may do: what its function and the services behind it do, and no more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.stack.conftest import Template


Permissions = dict[str, set[str]]

EVERY_FUNCTION: Permissions = {
    "*": {"xray:PutTelemetryRecords", "xray:PutTraceSegments"},
    "own log": {"logs:CreateLogStream", "logs:PutLogEvents"},
}
IN_EVERY_WIRING: dict[str, Permissions] = {
    "CommandHandlerName": {
        "CommandTable": {"dynamodb:GetItem", "dynamodb:PutItem"},
        "Topic": {"sns:Publish"},
    },
    "OutboxSweeperName": {
        "CommandTable/index/outbox": {"dynamodb:Query"},
        "CommandTable": {"dynamodb:BatchGetItem", "dynamodb:UpdateItem"},
        "Topic": {"sns:Publish"},
    },
    "UpdateProcessorName": {
        "CommandTable": {"dynamodb:Query", "dynamodb:UpdateItem"},
        "QueryTable": {"dynamodb:PutItem", "dynamodb:UpdateItem"},
    },
    "QueryHandlerName": {
        "QueryTable": {"dynamodb:GetItem", "dynamodb:Query"},
        "QueryTable/index/by_owner": {"dynamodb:Query"},
    },
}
IN_WIRING: dict[str, dict[str, Permissions]] = {
    "queued": {
        "UpdateProcessorName": {
            "Queue": {
                "sqs:ChangeMessageVisibility",
                "sqs:DeleteMessage",
                "sqs:GetQueueAttributes",
                "sqs:ReceiveMessage",
            }
        }
    },
    "direct": {"UpdateProcessorName": {"DeadLetterQueue": {"sqs:SendMessage"}}},
}


def granted(template: Template, function: str) -> Permissions:
    """Returns the actions that a function's role allows, by readable resource."""
    names: dict[str, str] = {
        template.logical_id(output): name
        for output, name in (
            ("CommandTableName", "CommandTable"),
            ("QueryTableName", "QueryTable"),
            ("TopicArn", "Topic"),
            ("DeadLetterQueueName", "DeadLetterQueue"),
            *((("QueueName", "Queue"),) if template.wiring == "queued" else ()),
        )
    }
    names[template.properties(function)["LoggingConfig"]["LogGroup"]["Ref"]] = "own log"

    def readable(resource: Any) -> str:
        match resource:
            case str():
                return str(resource)
            case {"Ref": logical_id} | {"Fn::GetAtt": [logical_id, "Arn"]}:
                return names[logical_id]
            case {"Fn::Join": ["", [owner, suffix]]}:
                return readable(owner) + str(suffix)
        pytest.fail(f"{resource} is not a resource that this test knows")

    found: Permissions = {}
    for statement in template.role_statements(function):
        assert statement["Effect"] == "Allow"
        actions = statement["Action"]
        resources = statement["Resource"]
        for resource in resources if isinstance(resources, list) else [resources]:
            allowed = found.setdefault(readable(resource), set())
            allowed |= {actions} if isinstance(actions, str) else set(actions)
    return found


@pytest.mark.parametrize("function", IN_EVERY_WIRING)
def test_a_function_may_do_exactly_what_it_does(template: Template, function: str) -> None:
    expected = (
        EVERY_FUNCTION | IN_EVERY_WIRING[function] | IN_WIRING[template.wiring].get(function, {})
    )
    assert granted(template, function) == expected


def test_no_function_shares_its_role(template: Template) -> None:
    functions = template.resources("AWS::Lambda::Function")
    roles = template.resources("AWS::IAM::Role")
    assert len(functions) == len(roles) == len(IN_EVERY_WIRING)
    used = [function["Role"]["Fn::GetAtt"][0] for function in functions.values()]
    assert sorted(used) == sorted(roles)


def test_a_role_has_no_other_policies(template: Template) -> None:
    for role in template.resources("AWS::IAM::Role").values():
        assert "ManagedPolicyArns" not in role
        assert "PermissionsBoundary" not in role
    kinds = {resource["Type"] for resource in template.content["Resources"].values()}
    assert not kinds & {"AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"}


def test_only_lambda_takes_on_a_role(template: Template) -> None:
    for role in template.resources("AWS::IAM::Role").values():
        (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
        assert statement["Action"] == "sts:AssumeRole"
        assert statement["Principal"] == {"Service": "lambda.amazonaws.com"}


def test_wildcards_allow_nothing_but_tracing(template: Template) -> None:
    for role in template.resources("AWS::IAM::Role").values():
        for policy in role["Policies"]:
            for statement in policy["PolicyDocument"]["Statement"]:
                actions = statement["Action"]
                actions = {actions} if isinstance(actions, str) else set(actions)
                assert not any("*" in action for action in actions)
                if "*" in str(statement["Resource"]):
                    assert actions == EVERY_FUNCTION["*"]
