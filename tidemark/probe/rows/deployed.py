"""The deployed stack: what CloudFormation took from the template and silently dropped."""

from __future__ import annotations

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


def _compared(bench: Bench, *types: str) -> Observation:
    stack = _stack(bench)
    count = len(stack.of_type(*types))
    if not count:
        raise NotProbedError("the deployed stack has none")
    dropped = stack.find_dropped(*types)
    return _said(
        count,
        [f"{path} of {', '.join(sorted(names))}" for path, names in sorted(dropped.items())],
    )


def _said(count: int, dropped: Iterable[str]) -> Observation:
    found = sorted(set(dropped))
    if found:
        return differs(f"dropped: {'; '.join(found)}")
    return same("all as declared", f"{count} compared")


@topic.row(
    "deployed-functions",
    aws=_AWS,
    documentation=f"{_REFERENCE}/aws-resource-lambda-function.html",
    within_s=_WITHIN_S,
)
def deployed_functions(bench: Bench) -> Observation:
    """Compare the functions and their event source mappings."""
    return _compared(bench, "AWS::Lambda::Function", "AWS::Lambda::EventSourceMapping")


@topic.row(
    "deployed-tables",
    aws=_AWS,
    documentation=f"{_REFERENCE}/aws-resource-dynamodb-table.html",
    within_s=_WITHIN_S,
)
def deployed_tables(bench: Bench) -> Observation:
    """Compare the tables, with expiry and point-in-time recovery."""
    return _compared(bench, "AWS::DynamoDB::Table")


@topic.row(
    "deployed-queues-and-topics",
    aws=_AWS,
    documentation=f"{_REFERENCE}/aws-resource-sqs-queue.html",
    within_s=_WITHIN_S,
)
def deployed_queues_and_topics(bench: Bench) -> Observation:
    """Compare the queues, topics and subscriptions."""
    return _compared(bench, "AWS::SQS::Queue", "AWS::SNS::Topic", "AWS::SNS::Subscription")


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
    return _said(len(stack.of_type(*kinds)), stack.find_dropped_policies())


@topic.row(
    "deployed-roles",
    aws=_AWS,
    documentation=f"{_REFERENCE}/aws-resource-iam-role.html",
    within_s=_WITHIN_S,
)
def deployed_roles(bench: Bench) -> Observation:
    """Compare the roles and their policies."""
    return _compared(bench, "AWS::IAM::Role")


@topic.row(
    "deployed-schedules",
    aws=_AWS,
    documentation=f"{_REFERENCE}/aws-resource-events-rule.html",
    within_s=_WITHIN_S,
)
def deployed_schedules(bench: Bench) -> Observation:
    """Compare the rules and their targets."""
    return _compared(bench, "AWS::Events::Rule")


@topic.row(
    "deployed-log-groups",
    aws=_AWS,
    documentation=f"{_REFERENCE}/aws-resource-logs-loggroup.html",
    within_s=_WITHIN_S,
)
def deployed_log_groups(bench: Bench) -> Observation:
    """Compare the log groups."""
    return _compared(bench, "AWS::Logs::LogGroup")


@topic.row(
    "deployed-alarms",
    aws=_AWS,
    documentation=f"{_REFERENCE}/aws-resource-cloudwatch-alarm.html",
    within_s=_WITHIN_S,
)
def deployed_alarms(bench: Bench) -> Observation:
    """Compare the alarms."""
    return _compared(bench, "AWS::CloudWatch::Alarm")


@topic.row(
    "deployed-dashboard",
    aws="A declared dashboard is there once the stack is deployed.",
    documentation=f"{_REFERENCE}/aws-resource-cloudwatch-dashboard.html",
    within_s=_WITHIN_S,
)
def deployed_dashboard(bench: Bench) -> Observation:
    """Look for the dashboard."""
    return _compared(bench, "AWS::CloudWatch::Dashboard")


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
    return _said(
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
    return _said(len(stack.of_type(*kinds)), stack.find_dropped_from_stages())


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
