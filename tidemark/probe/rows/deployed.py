"""The deployed stack: what CloudFormation took from the template and silently dropped."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from tidemark.probe.deployed_stack import DeployedStack
from tidemark.probe.described import DESCRIBERS
from tidemark.probe.observation import NotProbedError, differs, same
from tidemark.probe.row import Topic

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tidemark.probe.bench import Bench
    from tidemark.probe.observation import Observation

topic = Topic("the deployed stack, declared and there", makes=())

_REFERENCE = "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference"
_AWS = "Every declared property is there once the stack is deployed."
_WITHIN_S = 20
# What a service describes as the template declares it: rows, where that is documented, and types.
_DESCRIBED = (
    (
        "functions",
        "aws-resource-lambda-function",
        (
            "AWS::Lambda::EventInvokeConfig",
            "AWS::Lambda::EventSourceMapping",
            "AWS::Lambda::Function",
        ),
    ),
    ("tables", "aws-resource-dynamodb-table", ("AWS::DynamoDB::Table",)),
    (
        "queues-and-topics",
        "aws-resource-sqs-queue",
        ("AWS::SQS::Queue", "AWS::SNS::Topic", "AWS::SNS::Subscription"),
    ),
    ("roles", "aws-resource-iam-role", ("AWS::IAM::Role",)),
    ("schedules", "aws-resource-events-rule", ("AWS::Events::Rule",)),
    ("log-groups", "aws-resource-logs-loggroup", ("AWS::Logs::LogGroup",)),
    ("alarms", "aws-resource-cloudwatch-alarm", ("AWS::CloudWatch::Alarm",)),
    ("dashboard", "aws-resource-cloudwatch-dashboard", ("AWS::CloudWatch::Dashboard",)),
)
_COMPARED_ELSEWHERE = {
    "AWS::ApiGateway::Deployment",
    "AWS::ApiGateway::RestApi",
    "AWS::ApiGateway::Stage",
    "AWS::Lambda::Permission",
    "AWS::SNS::TopicPolicy",
    "AWS::SQS::QueuePolicy",
}


def _stack(bench: Bench) -> DeployedStack:
    return DeployedStack.of(bench.clients, bench.deployment.stack_name)


def _compare(bench: Bench, types: tuple[str, ...]) -> Observation:
    stack = _stack(bench)
    count = len(stack.of_type(*types))
    if not count:
        raise NotProbedError("the deployed stack has none")
    dropped = sorted(stack.find_dropped(*types).items())
    return _judge(count, [f"{path} of {', '.join(sorted(names))}" for path, names in dropped])


def _judge(count: int, dropped: Iterable[str]) -> Observation:
    found = sorted(set(dropped))
    if found:
        return differs(f"dropped: {'; '.join(found)}")
    return same("all as declared", f"{count} compared")


for _name, _page, _types in _DESCRIBED:
    topic.row(
        f"deployed-{_name}",
        aws=_AWS,
        documentation=f"{_REFERENCE}/{_page}.html",
        within_s=_WITHIN_S,
    )(partial(_compare, types=_types))


@topic.row(
    "deployed-policies",
    aws="Every declared statement of a queue's, topic's or function's policy is there once the "
    "stack is deployed.",
    documentation=f"{_REFERENCE}/aws-resource-sqs-queuepolicy.html",
    within_s=_WITHIN_S,
)
def deployed_policies(bench: Bench) -> Observation:
    """Compare the policies of queues, topics and functions, statement by statement."""
    stack = _stack(bench)
    kinds = ("AWS::SQS::QueuePolicy", "AWS::SNS::TopicPolicy", "AWS::Lambda::Permission")
    return _judge(len(stack.of_type(*kinds)), stack.find_dropped_policies())


@topic.row(
    "deployed-api-definition",
    aws="The API's settings, and the methods, models, request validators, authorization and "
    "gateway responses of the OpenAPI body, are there once the stack is deployed.",
    documentation="https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions.html",
    within_s=_WITHIN_S,
)
def deployed_api_definition(bench: Bench) -> Observation:
    """Compare the API and its OpenAPI definition."""
    stack = _stack(bench)
    return _judge(
        len(stack.of_type("AWS::ApiGateway::RestApi")), stack.find_dropped_from_definitions()
    )


@topic.row(
    "deployed-api-stage",
    aws=_AWS,
    documentation=f"{_REFERENCE}/aws-resource-apigateway-stage.html",
    within_s=_WITHIN_S,
)
def deployed_api_stage(bench: Bench) -> Observation:
    """Compare the stage (access log, throttling, tracing) and its deployment."""
    stack = _stack(bench)
    kinds = ("AWS::ApiGateway::Stage", "AWS::ApiGateway::Deployment")
    return _judge(len(stack.of_type(*kinds)), stack.find_dropped_from_stages())


@topic.row(
    "deployed-other-resources",
    aws=_AWS,
    documentation=f"{_REFERENCE}/aws-template-resource-type-ref.html",
    within_s=_WITHIN_S,
)
def deployed_other_resources(bench: Bench) -> Observation:
    """Name what no other row compares."""
    types = {one["Type"] for one in _stack(bench).resources.values()}
    others = sorted(types - set(DESCRIBERS) - _COMPARED_ELSEWHERE)
    if others:
        raise NotProbedError(f"nothing describes {', '.join(others)}")
    return same("every resource is compared by a row")
