"""What services say of deployed resources, in the words of CloudFormation's properties."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tidemark.aws.clients import AwsClients


def function(clients: AwsClients, name: str) -> dict[str, Any]:
    """A Lambda function."""
    found: dict[str, Any] = dict(clients.functions.get_function_configuration(FunctionName=name))
    return {**found, **clients.functions.get_function_concurrency(FunctionName=name)}


def mapping(clients: AwsClients, uuid: str) -> dict[str, Any]:
    """An event source mapping."""
    found: dict[str, Any] = dict(clients.functions.get_event_source_mapping(UUID=uuid))
    return {**found, "FunctionName": found.get("FunctionArn")}


def invoke_config(clients: AwsClients, function_name: str) -> dict[str, Any]:
    """How a function is invoked asynchronously; CloudFormation has it as a resource of its own."""
    found = clients.functions.get_function_event_invoke_config(FunctionName=function_name)
    return {**found, "FunctionName": function_name, "Qualifier": "$LATEST"}


def queue(clients: AwsClients, url: str) -> dict[str, Any]:
    """An SQS queue."""
    name = url.rstrip("/").rpartition("/")[2]
    url = clients.sqs.get_queue_url(QueueName=name)["QueueUrl"]
    attributes = clients.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
    found: dict[str, Any] = {str(key): value for key, value in attributes["Attributes"].items()}
    for key in ("RedrivePolicy", "RedriveAllowPolicy", "Policy"):
        if key in found:
            found[key] = json.loads(found[key])
    return {"QueueName": name, **found}


def topic(clients: AwsClients, arn: str) -> dict[str, Any]:
    """An SNS topic."""
    return dict(clients.sns.get_topic_attributes(TopicArn=arn)["Attributes"])


def subscription(clients: AwsClients, arn: str) -> dict[str, Any]:
    """An SNS subscription."""
    found = dict(clients.sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"])
    topic_arn = arn.rpartition(":")[0]
    for page in clients.sns.get_paginator("list_subscriptions_by_topic").paginate(
        TopicArn=topic_arn
    ):
        for one in page["Subscriptions"]:
            if one["SubscriptionArn"] == arn:
                return {**one, **found}
    return found


def table(clients: AwsClients, name: str) -> dict[str, Any]:
    """A DynamoDB table."""
    dynamodb = clients.dynamodb
    found: dict[str, Any] = dict(dynamodb.describe_table(TableName=name)["Table"])
    backups: Any = dynamodb.describe_continuous_backups(TableName=name)
    recovery = backups["ContinuousBackupsDescription"].get("PointInTimeRecoveryDescription", {})
    ttl = dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    return {
        **found,
        "BillingMode": found.get("BillingModeSummary", {}).get("BillingMode"),
        "PointInTimeRecoverySpecification": {
            "PointInTimeRecoveryEnabled": recovery.get("PointInTimeRecoveryStatus") == "ENABLED"
        },
        "TimeToLiveSpecification": {
            **ttl,
            "Enabled": ttl.get("TimeToLiveStatus") in {"ENABLED", "ENABLING"},
        },
    }


def log_group(clients: AwsClients, name: str) -> dict[str, Any]:
    """A log group."""
    groups = clients.logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    return next((dict(one) for one in groups if one["logGroupName"] == name), {})


def rule(clients: AwsClients, name: str) -> dict[str, Any]:
    """An EventBridge rule."""
    events = clients.client("events")
    name = name.rpartition("/")[2]
    return {
        **events.describe_rule(Name=name),
        "Targets": events.list_targets_by_rule(Rule=name)["Targets"],
    }


def alarm(clients: AwsClients, name: str) -> dict[str, Any]:
    """A CloudWatch alarm."""
    found = clients.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"]
    return dict(found[0]) if found else {}


def dashboard(clients: AwsClients, name: str) -> dict[str, Any]:
    """A CloudWatch dashboard."""
    return dict(clients.client("cloudwatch").get_dashboard(DashboardName=name))


def role(clients: AwsClients, name: str) -> dict[str, Any]:
    """An IAM role with its inline policies."""
    iam = clients.client("iam")
    found = dict(iam.get_role(RoleName=name)["Role"])
    names = iam.list_role_policies(RoleName=name)["PolicyNames"]
    policies = [iam.get_role_policy(RoleName=name, PolicyName=one) for one in names]
    return {**found, "Policies": policies}


DESCRIBERS: Mapping[str, Callable[[AwsClients, str], dict[str, Any]]] = {
    "AWS::CloudWatch::Alarm": alarm,
    "AWS::CloudWatch::Dashboard": dashboard,
    "AWS::DynamoDB::Table": table,
    "AWS::Events::Rule": rule,
    "AWS::IAM::Role": role,
    "AWS::Lambda::EventInvokeConfig": invoke_config,
    "AWS::Lambda::EventSourceMapping": mapping,
    "AWS::Lambda::Function": function,
    "AWS::Logs::LogGroup": log_group,
    "AWS::SNS::Subscription": subscription,
    "AWS::SNS::Topic": topic,
    "AWS::SQS::Queue": queue,
}
