"""A stack's template beside what the services say of it."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from tidemark.probe.deployed_stack import DeployedStack

if TYPE_CHECKING:
    from tidemark.aws.clients import AwsClients

TOPIC = "arn:aws:sns:us-east-1:1:Stack-Topic"
IDS = {
    "Api": "a1b2c3",
    "Deployment": "d1",
    "Function": "Stack-Function",
    "Queue": "https://sqs/1/Stack-Queue",
    "Stage": "v1",
    "Topic": TOPIC,
}
SEND = {
    "Effect": "Allow",
    "Action": "sqs:SendMessage",
    "Principal": {"Service": "sns.amazonaws.com"},
    "Resource": {"Fn::GetAtt": ["Queue", "Arn"]},
    "Condition": {"ArnEquals": {"aws:SourceArn": {"Ref": "Topic"}}},
}
RESOURCES = {
    "QueuePolicy01234567": {
        "Type": "AWS::SQS::QueuePolicy",
        "Properties": {"Queues": [{"Ref": "Queue"}], "PolicyDocument": {"Statement": [SEND]}},
    },
    "Permission01234567": {
        "Type": "AWS::Lambda::Permission",
        "Properties": {
            "Action": "lambda:InvokeFunction",
            "FunctionName": {"Fn::GetAtt": ["Function", "Arn"]},
            "Principal": "sns.amazonaws.com",
            "SourceArn": {"Ref": "Topic"},
        },
    },
    "Api": {
        "Type": "AWS::ApiGateway::RestApi",
        "Properties": {"EndpointConfiguration": {"Types": ["REGIONAL"]}, "Body": {}},
    },
    "Deployment": {
        "Type": "AWS::ApiGateway::Deployment",
        "Properties": {"RestApiId": {"Ref": "Api"}, "Description": "as declared"},
    },
    "Stage": {
        "Type": "AWS::ApiGateway::Stage",
        "Properties": {
            "RestApiId": {"Ref": "Api"},
            "DeploymentId": {"Ref": "Deployment"},
            "StageName": "v1",
        },
    },
}


class Functions:
    class exceptions:  # noqa: N801 -- so boto3 spells it
        class ResourceNotFoundException(Exception):  # noqa: N818 -- likewise
            pass

    def __init__(self, source_arn: str | None) -> None:
        self.source_arn = source_arn

    def get_policy(self, **_: Any) -> dict[str, str]:
        if self.source_arn is None:
            raise self.exceptions.ResourceNotFoundException
        statement = {
            "Effect": "Allow",
            "Action": "lambda:InvokeFunction",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Condition": {"ArnLike": {"AWS:SourceArn": self.source_arn}},
        }
        return {"Policy": json.dumps({"Statement": [statement]})}


def _stack(
    *,
    may_send: str = TOPIC,
    may_invoke: str | None = TOPIC,
    endpoints: tuple[str, ...] = ("REGIONAL",),
    description: str = "as declared",
) -> DeployedStack:
    policy = {
        "Statement": [
            {
                **SEND,
                "Resource": "arn:aws:sqs:us-east-1:1:Stack-Queue",
                "Condition": {"ArnEquals": {"aws:SourceArn": may_send}},
            }
        ]
    }
    sqs = SimpleNamespace(
        get_queue_url=lambda **_: {"QueueUrl": IDS["Queue"]},
        get_queue_attributes=lambda **_: {"Attributes": {"Policy": json.dumps(policy)}},
    )
    apigateway = SimpleNamespace(
        get_rest_api=lambda **_: {"endpointConfiguration": {"types": list(endpoints)}},
        get_gateway_responses=lambda **_: {"items": []},
        get_models=lambda **_: {"items": []},
        get_resources=lambda **_: {"items": []},
        get_deployment=lambda **_: {"id": "d1", "description": description},
        get_stage=lambda **_: {"stageName": "v1", "deploymentId": "d1"},
    )
    clients = SimpleNamespace(
        sqs=sqs, functions=Functions(may_invoke), client={"apigateway": apigateway}.__getitem__
    )
    return DeployedStack(cast("AwsClients", clients), RESOURCES, IDS)


def test_what_is_there_as_declared_is_not_dropped() -> None:
    stack = _stack()

    assert list(stack.find_dropped_policies()) == []
    assert list(stack.find_dropped_from_definitions()) == []
    assert list(stack.find_dropped_from_stages()) == []


def test_a_statement_for_another_topic_is_named() -> None:
    stack = _stack(may_send="arn:aws:sns:us-east-1:1:Other", may_invoke="*")

    assert list(stack.find_dropped_policies()) == [
        "Condition of QueuePolicy",
        "Condition of Permission",
    ]


def test_a_policy_that_is_not_there_at_all_is_named() -> None:
    assert list(_stack(may_invoke=None).find_dropped_policies()) == ["Permission"]


def test_a_setting_of_a_function_is_asked_for_by_its_name() -> None:
    resources = {
        "Config": {
            "Type": "AWS::Lambda::EventInvokeConfig",
            "Properties": {
                "FunctionName": {"Ref": "Function"},
                "Qualifier": "$LATEST",
                "MaximumRetryAttempts": 0,
                "MaximumEventAgeInSeconds": 60,
            },
        }
    }

    def ask(**asked: str) -> dict[str, Any]:
        assert asked == {"FunctionName": "the-function"}
        return {"FunctionArn": "arn", "MaximumRetryAttempts": 0, "MaximumEventAgeInSeconds": 90}

    clients = SimpleNamespace(functions=SimpleNamespace(get_function_event_invoke_config=ask))
    ids = {"Config": "of no use", "Function": "the-function"}
    stack = DeployedStack(cast("Any", clients), resources, ids)

    assert stack.find_dropped("AWS::Lambda::EventInvokeConfig") == {
        "MaximumEventAgeInSeconds (90 instead of 60)": ["Config"]
    }


def test_settings_of_an_api_and_of_its_deployment_are_compared() -> None:
    stack = _stack(endpoints=(), description="another")

    assert list(stack.find_dropped_from_definitions()) == ["EndpointConfiguration.Types"]
    assert list(stack.find_dropped_from_stages()) == [
        "Description (another instead of as declared)"
    ]
