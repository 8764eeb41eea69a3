"""A declared statement beside the policy that is there."""

from __future__ import annotations

from typing import Any

import pytest

from tidemark.probe.policies import missing, of_permission

IDS = {
    "Topic": "arn:aws:sns:us-east-1:1:Stack-Topic",
    "Queue": "https://sqs.us-east-1.amazonaws.com/1/Stack-Queue",
    "Api": "a1b2c3",
}
SEND: dict[str, Any] = {
    "Sid": "One",
    "Effect": "Allow",
    "Action": "sqs:SendMessage",
    "Principal": {"Service": "sns.amazonaws.com"},
    "Resource": {"Fn::GetAtt": ["Queue", "Arn"]},
    "Condition": {"ArnEquals": {"aws:SourceArn": {"Ref": "Topic"}}},
}
SENT: dict[str, Any] = {
    **SEND,
    "Resource": "arn:aws:sqs:us-east-1:1:Stack-Queue",
    "Condition": {"ArnEquals": {"aws:SourceArn": "arn:aws:sns:us-east-1:1:Stack-Topic"}},
}
DENY: dict[str, Any] = {
    "Effect": "Deny",
    "Action": "sqs:*",
    "Principal": {"AWS": "*"},
    "Resource": "*",
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}
PERMISSION: dict[str, Any] = {
    "Action": "lambda:InvokeFunction",
    "FunctionName": {"Ref": "Function"},
    "Principal": "apigateway.amazonaws.com",
    "SourceArn": {
        "Fn::Join": [
            "",
            ["arn:", {"Ref": "AWS::Partition"}, ":execute-api:", {"Ref": "Api"}, "/v1/POST/*"],
        ]
    },
}
PERMITTED: dict[str, Any] = {
    "Sid": "Stack-Permission",
    "Effect": "Allow",
    "Principal": {"Service": "apigateway.amazonaws.com"},
    "Action": "lambda:InvokeFunction",
    "Resource": "arn:aws:lambda:us-east-1:1:function:f",
    "Condition": {"ArnLike": {"AWS:SourceArn": "arn:aws:execute-api:us-east-1:1:a1b2c3/v1/POST/*"}},
}


@pytest.mark.parametrize(
    ("declared", "deployed"),
    [
        (SEND, SENT),
        (SEND, {**SENT, "Sid": "Other", "Action": ["SQS:SendMessage"]}),
        (DENY, {**DENY, "Principal": "*"}),
        (of_permission(PERMISSION), PERMITTED),
    ],
)
def test_a_statement_that_is_there_among_others_misses_nothing(
    declared: dict[str, Any], deployed: dict[str, Any]
) -> None:
    assert missing(declared, [{"Effect": "Allow"}, deployed], IDS) == []


OTHER_ARN = {"ArnEquals": {"aws:SourceArn": "arn:aws:sns:us-east-1:1:Another-Topic"}}


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"Condition": OTHER_ARN}, ["Condition"]),
        ({"Condition": {}}, ["Condition"]),
        ({"Action": ["sqs:SendMessage", "sqs:DeleteMessage"]}, ["Action"]),
        ({"Principal": "*"}, ["Principal"]),
        ({"Effect": "Deny"}, ["Effect"]),
        ({"Resource": "arn:aws:sqs:us-east-1:1:Another"}, ["Resource"]),
    ],
)
def test_what_differs_in_the_statement_most_like_it_is_named(
    changed: dict[str, Any], named: list[str]
) -> None:
    assert missing(SEND, [DENY, {**SENT, **changed}], IDS) == named


@pytest.mark.parametrize(
    "arn",
    ["arn:aws:execute-api:us-east-1:1:a1b2c3/v1/GET/*", "arn:aws:execute-api:us-east-1:1:other/*"],
)
def test_a_permission_for_another_source_is_another(arn: str) -> None:
    deployed = {**PERMITTED, "Condition": {"ArnLike": {"AWS:SourceArn": arn}}}

    assert missing(of_permission(PERMISSION), [deployed], IDS) == ["Condition"]


def test_a_condition_that_nobody_declared_is_named() -> None:
    declared = {key: value for key, value in SEND.items() if key != "Condition"}

    assert missing(declared, [SENT], IDS) == ["Condition"]


def test_where_there_is_no_statement_there_is_nothing_to_compare() -> None:
    assert missing(SEND, [], IDS) is None
