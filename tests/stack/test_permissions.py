"""What each role may do: what its function and the services behind it do, and no more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

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


ACCOUNTS, OWNERS = "g1#account#*", "g1#owner#*"
# What a function may name as a partition key; whatever is not here has no limit.
LEADING_KEYS: dict[str, dict[tuple[str, str], set[str]]] = {
    "CommandHandlerName": {
        ("CommandTable", "dynamodb:GetItem"): {"account#*", "command#*"},
        ("CommandTable", "dynamodb:PutItem"): {"account#*", "command#*"},
    },
    "OutboxSweeperName": {
        ("CommandTable", "dynamodb:BatchGetItem"): {"account#*"},
        ("CommandTable", "dynamodb:UpdateItem"): {"account#*"},
    },
    "UpdateProcessorName": {
        ("CommandTable", "dynamodb:Query"): {"account#*"},
        ("CommandTable", "dynamodb:UpdateItem"): {"account#*"},
        ("QueryTable", "dynamodb:PutItem"): {ACCOUNTS},
        ("QueryTable", "dynamodb:UpdateItem"): {OWNERS},
    },
    "QueryHandlerName": {
        ("QueryTable", "dynamodb:GetItem"): {ACCOUNTS, OWNERS},
        ("QueryTable", "dynamodb:Query"): {ACCOUNTS},
        ("QueryTable/index/by_owner", "dynamodb:Query"): {OWNERS},
    },
}


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def readable_names(template: Template, function: str) -> Callable[[Any], str]:
    """Returns what makes the resources of a function's role readable."""
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

    return readable


def granted(template: Template, function: str) -> Permissions:
    """Returns the actions that a function's role allows, by readable resource."""
    readable = readable_names(template, function)
    found: Permissions = {}
    for statement in template.role_statements(function):
        assert statement["Effect"] == "Allow"
        for resource in listed(statement["Resource"]):
            found.setdefault(readable(resource), set()).update(listed(statement["Action"]))
    return found


@pytest.mark.parametrize("function", IN_EVERY_WIRING)
def test_a_function_may_do_exactly_what_it_does(template: Template, function: str) -> None:
    expected = (
        EVERY_FUNCTION | IN_EVERY_WIRING[function] | IN_WIRING[template.wiring].get(function, {})
    )
    assert granted(template, function) == expected


@pytest.mark.parametrize("function", LEADING_KEYS)
def test_a_function_may_name_only_the_partition_keys_that_are_its_own(
    template: Template, function: str
) -> None:
    readable = readable_names(template, function)
    found = {}
    for statement in template.role_statements(function):
        if "Condition" in statement:
            # Exactly this operator: DynamoDB wants it, and an id follows the key's family.
            assert list(statement["Condition"]) == ["ForAllValues:StringLike"]
            keys = statement["Condition"]["ForAllValues:StringLike"]
            assert list(keys) == ["dynamodb:LeadingKeys"]
            for action in listed(statement["Action"]):
                found[readable(statement["Resource"]), action] = set(
                    listed(keys["dynamodb:LeadingKeys"])
                )
    assert found == LEADING_KEYS[function]


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
                actions = set(listed(statement["Action"]))
                assert not any("*" in action for action in actions)
                if "*" in str(statement["Resource"]):
                    assert actions == EVERY_FUNCTION["*"]
