"""Queues, deliveries and who may call whom, in each wiring."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.stack.conftest import Template


def resource_policy(template: Template, kind: str, attached_to: str) -> list[dict[str, Any]]:
    """Returns the statements of the policy of a queue or topic."""
    key = {"AWS::SQS::QueuePolicy": "Queues", "AWS::SNS::TopicPolicy": "Topics"}[kind]
    statements: list[dict[str, Any]] = [
        statement
        for policy in template.resources(kind).values()
        if policy[key] == [{"Ref": attached_to}]
        for statement in policy["PolicyDocument"]["Statement"]
    ]
    return statements


def queues(template: Template) -> list[str]:
    return list(template.resources("AWS::SQS::Queue"))


def test_the_queue_gives_up_into_the_dead_letter_queue(queued: Template) -> None:
    assert queued.properties("QueueName")["RedrivePolicy"] == {
        "deadLetterTargetArn": {"Fn::GetAtt": [queued.logical_id("DeadLetterQueueName"), "Arn"]},
        "maxReceiveCount": 5,
    }


def test_the_processor_knows_when_a_message_is_about_to_be_given_up(queued: Template) -> None:
    variables = queued.properties("UpdateProcessorName")["Environment"]["Variables"]
    given_up_after = queued.properties("QueueName")["RedrivePolicy"]["maxReceiveCount"]
    assert variables["MAX_RECEIVE_COUNT"] == str(given_up_after)
    assert variables["QUEUE_URL"] == {"Ref": queued.logical_id("QueueName")}


def test_a_message_stays_hidden_for_six_timeouts_of_the_processor(queued: Template) -> None:
    timeout_s = queued.properties("UpdateProcessorName")["Timeout"]
    assert queued.properties("QueueName")["VisibilityTimeout"] >= 6 * timeout_s


def test_the_mapping_reports_single_failures_and_bounds_concurrency(queued: Template) -> None:
    (mapping,) = queued.resources("AWS::Lambda::EventSourceMapping").values()
    assert mapping["EventSourceArn"] == {"Fn::GetAtt": [queued.logical_id("QueueName"), "Arn"]}
    assert mapping["FunctionName"] == {"Ref": queued.logical_id("UpdateProcessorName")}
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["ScalingConfig"]["MaximumConcurrency"] >= 2


def test_the_queue_is_subscribed_and_gets_the_message_as_it_was_published(queued: Template) -> None:
    (subscription,) = queued.resources("AWS::SNS::Subscription").values()
    assert subscription["Protocol"] == "sqs"
    assert subscription["RawMessageDelivery"] is True
    assert subscription["Endpoint"] == {"Fn::GetAtt": [queued.logical_id("QueueName"), "Arn"]}
    assert subscription["TopicArn"] == {"Ref": queued.logical_id("TopicArn")}


def test_only_the_topic_may_send_to_the_queue(queued: Template) -> None:
    statements = resource_policy(queued, "AWS::SQS::QueuePolicy", queued.logical_id("QueueName"))
    (allowed,) = [statement for statement in statements if statement["Effect"] == "Allow"]
    assert allowed["Action"] == "sqs:SendMessage"
    assert allowed["Principal"] == {"Service": "sns.amazonaws.com"}
    assert allowed["Condition"] == {
        "ArnEquals": {"aws:SourceArn": {"Ref": queued.logical_id("TopicArn")}}
    }


def test_nobody_may_send_to_the_dead_letter_queue_by_its_policy(template: Template) -> None:
    statements = resource_policy(
        template, "AWS::SQS::QueuePolicy", template.logical_id("DeadLetterQueueName")
    )
    assert [statement["Effect"] for statement in statements] == ["Deny"]


def test_queues_and_topic_refuse_insecure_transport(template: Template) -> None:
    attached = [("AWS::SQS::QueuePolicy", queue, "sqs:*") for queue in queues(template)]
    attached += [("AWS::SNS::TopicPolicy", template.logical_id("TopicArn"), "sns:Publish")]
    for kind, logical_id, action in attached:
        denied = [
            statement
            for statement in resource_policy(template, kind, logical_id)
            if statement["Effect"] == "Deny"
        ]
        assert [statement["Action"] for statement in denied] == [action], logical_id
        assert denied[0]["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        assert denied[0]["Principal"] in ("*", {"AWS": "*"})


def test_queues_are_encrypted_by_sqs_and_no_key_breaks_the_topic(
    template: Template,
) -> None:
    for queue in queues(template):
        properties = template.content["Resources"][queue]["Properties"]
        assert properties["SqsManagedSseEnabled"] is True
        assert "KmsMasterKeyId" not in properties
    (topic,) = [
        resource
        for resource in template.content["Resources"].values()
        if resource["Type"] == "AWS::SNS::Topic"
    ]
    assert "KmsMasterKeyId" not in topic.get("Properties", {})


def test_dead_letters_are_kept_as_long_as_sqs_keeps_anything(template: Template) -> None:
    kept_s = template.properties("DeadLetterQueueName")["MessageRetentionPeriod"]
    assert kept_s == 14 * 24 * 3600


def test_the_direct_wiring_has_no_queue_but_a_dead_letter_queue_of_the_function(
    direct: Template,
) -> None:
    assert queues(direct) == [direct.logical_id("DeadLetterQueueName")]
    assert "QueueName" not in direct.content["Outputs"]
    assert direct.properties("UpdateProcessorName")["DeadLetterConfig"] == {
        "TargetArn": {"Fn::GetAtt": [direct.logical_id("DeadLetterQueueName"), "Arn"]}
    }
    variables = direct.properties("UpdateProcessorName")["Environment"]["Variables"]
    assert not {"QUEUE_URL", "MAX_RECEIVE_COUNT"} & set(variables)
    (subscription,) = direct.resources("AWS::SNS::Subscription").values()
    assert subscription["Protocol"] == "lambda"
    assert subscription["Endpoint"] == {
        "Fn::GetAtt": [direct.logical_id("UpdateProcessorName"), "Arn"]
    }


def invocations(template: Template) -> set[tuple[str, str, str]]:
    """Returns who may invoke which function, and the logical id that the caller must be."""
    outputs = {
        template.logical_id(name): name
        for name in template.content["Outputs"]
        if name in {"CommandHandlerName", "OutboxSweeperName", "QueryHandlerName"}
        or name == "UpdateProcessorName"
    }

    def source(arn: Any) -> str:
        match arn:
            case {"Ref": logical_id} | {"Fn::GetAtt": [logical_id, "Arn"]}:
                return str(logical_id)
            case {"Fn::Join": ["", parts]}:
                return "".join(
                    part if isinstance(part, str) else f"<{part['Ref']}>" for part in parts
                )
        pytest.fail(f"{arn} does not say who the caller is")

    permissions = template.resources("AWS::Lambda::Permission").values()
    assert all(item["Action"] == "lambda:InvokeFunction" for item in permissions)
    return {
        (
            item["Principal"],
            source(item["SourceArn"]),
            outputs[item["FunctionName"]["Fn::GetAtt"][0]],
        )
        for item in permissions
    }


def test_who_invokes_a_function_may_and_nobody_else(template: Template) -> None:
    api = (
        "arn:<AWS::Partition>:execute-api:<AWS::Region>:<AWS::AccountId>:"
        f"<{template.logical_id('RestApiId')}>/v1"
    )
    (schedule,) = template.resources("AWS::Events::Rule")
    expected = {
        ("apigateway.amazonaws.com", f"{api}/POST/*", "CommandHandlerName"),
        ("apigateway.amazonaws.com", f"{api}/GET/*", "QueryHandlerName"),
        ("events.amazonaws.com", schedule, "OutboxSweeperName"),
    }
    if template.wiring == "direct":
        expected.add(("sns.amazonaws.com", template.logical_id("TopicArn"), "UpdateProcessorName"))
    assert invocations(template) == expected


def test_the_sweeper_comes_every_minute(template: Template) -> None:
    (rule,) = template.resources("AWS::Events::Rule").values()
    assert rule["ScheduleExpression"] == "rate(1 minute)"
    assert rule["State"] == "ENABLED"
    (target,) = rule["Targets"]
    assert target["Arn"] == {"Fn::GetAtt": [template.logical_id("OutboxSweeperName"), "Arn"]}
