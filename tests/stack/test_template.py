"""What every template has, whatever is chosen."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from stack import template as plain
from stack.cqrs_stack import Choices

if TYPE_CHECKING:
    from pathlib import Path

    from tests.stack.conftest import Template


EVERY_OUTPUT = {
    "ApiStage",
    "CommandHandlerName",
    "CommandTableName",
    "DeadLetterQueueName",
    "OutboxSweeperName",
    "QueryHandlerName",
    "QueryTableName",
    "RestApiId",
    "TopicArn",
    "UpdateProcessorName",
    "Wiring",
}

# Properties that give a resource a name of its own, by resource type.
PHYSICAL_NAMES = {
    "AWS::CloudWatch::Alarm": "AlarmName",
    "AWS::CloudWatch::Dashboard": "DashboardName",
    "AWS::DynamoDB::Table": "TableName",
    "AWS::Events::Rule": "Name",
    "AWS::IAM::Role": "RoleName",
    "AWS::Lambda::Function": "FunctionName",
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::SNS::Topic": "TopicName",
    "AWS::SQS::Queue": "QueueName",
}
NAMELESS = {
    "AWS::ApiGateway::Deployment",
    "AWS::ApiGateway::RestApi",
    "AWS::ApiGateway::Stage",
    "AWS::Lambda::EventInvokeConfig",
    "AWS::Lambda::EventSourceMapping",
    "AWS::Lambda::Permission",
    "AWS::SNS::Subscription",
    "AWS::SNS::TopicPolicy",
    "AWS::SQS::QueuePolicy",
}


def test_the_outputs_are_the_contract(template: Template) -> None:
    in_wiring = {"queued": {"QueueName", "EventSourceMappingId"}, "direct": set()}
    outputs = template.content["Outputs"]
    assert set(outputs) == EVERY_OUTPUT | in_wiring[template.wiring]
    assert outputs["Wiring"]["Value"] == template.wiring
    assert not any("Export" in output for output in outputs.values())


def test_nothing_has_a_physical_name(template: Template) -> None:
    for logical_id, resource in template.content["Resources"].items():
        kind = resource["Type"]
        if kind not in NAMELESS:
            name = PHYSICAL_NAMES[kind]
            assert name not in resource.get("Properties", {}), logical_id


def test_the_api_is_called_like_its_stack_because_its_metrics_know_it_by_name(
    template: Template,
) -> None:
    (api,) = template.resources("AWS::ApiGateway::RestApi").values()
    assert api["Name"] == api["Body"]["info"]["title"] == {"Ref": "AWS::StackName"}


def test_no_account_region_or_partition_is_written_down(template: Template) -> None:
    text = json.dumps(template.content)
    assert not re.search(r"\b\d{12}\b", text.replace("999999999999", ""))
    assert not re.search(r"\b(us|eu|ap|ca|sa|cn|af|me|il|mx)(-gov)?-[a-z]+-\d\b", text)
    assert "arn:aws:" not in text


def test_the_rules_of_aws_solutions_hold(template: Template) -> None:
    assert template.findings == []


def test_no_rule_leaves_a_trace_in_the_template(template: Template) -> None:
    metadata = [
        key
        for resource in template.content["Resources"].values()
        for key in resource.get("Metadata", {})
    ]
    assert set(metadata) <= {"aws:cdk:do-not-refactor"}
    assert "AwsSolutions" not in json.dumps(template.content)


def test_tables_are_on_demand_recoverable_and_encrypted_with_the_key_of_aws(
    template: Template,
) -> None:
    for table in template.resources("AWS::DynamoDB::Table").values():
        assert table["BillingMode"] == "PAY_PER_REQUEST"
        assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
        assert "SSESpecification" not in table
        assert [key["AttributeName"] for key in table["KeySchema"]] == ["pk", "sk"]


def test_the_outbox_index_is_sparse_and_carries_keys_only(template: Template) -> None:
    table = template.properties("CommandTableName")
    (index,) = table["GlobalSecondaryIndexes"]
    assert index["IndexName"] == "outbox"
    assert [key["AttributeName"] for key in index["KeySchema"]] == ["outbox", "due"]
    assert index["Projection"] == {"ProjectionType": "KEYS_ONLY"}
    assert {"AttributeName": "outbox", "AttributeType": "N"} in table["AttributeDefinitions"]
    assert {"AttributeName": "due", "AttributeType": "N"} in table["AttributeDefinitions"]


def test_only_command_records_expire(template: Template) -> None:
    assert template.properties("CommandTableName")["TimeToLiveSpecification"] == {
        "AttributeName": "expires_at",
        "Enabled": True,
    }
    assert "TimeToLiveSpecification" not in template.properties("QueryTableName")


def test_the_owner_index_answers_without_the_table(template: Template) -> None:
    (index,) = template.properties("QueryTableName")["GlobalSecondaryIndexes"]
    assert index["IndexName"] == "by_owner"
    assert [key["AttributeName"] for key in index["KeySchema"]] == ["owner_key", "account_id"]
    assert index["Projection"] == {
        "ProjectionType": "INCLUDE",
        "NonKeyAttributes": ["owner_id", "balance", "status", "version"],
    }


def test_every_function_traces_and_logs_json_into_a_group_that_expires(template: Template) -> None:
    groups = template.resources("AWS::Logs::LogGroup")
    functions = template.resources("AWS::Lambda::Function")
    written_to = [function["LoggingConfig"]["LogGroup"]["Ref"] for function in functions.values()]
    assert len(set(written_to)) == len(functions)
    assert len(groups) == len(functions) + 1  # the access log
    assert all(group["RetentionInDays"] == 14 for group in groups.values())
    for function in functions.values():
        assert function["LoggingConfig"]["LogFormat"] == "JSON"
        assert function["TracingConfig"] == {"Mode": "Active"}


@pytest.mark.parametrize(
    ("function", "handler", "service", "timeout_s"),
    [
        ("CommandHandlerName", "command_handler", "command-handler", 10),
        ("OutboxSweeperName", "outbox_sweeper", "outbox-sweeper", 50),
        ("QueryHandlerName", "query_handler", "query-handler", 10),
        ("UpdateProcessorName", "update_processor", "update-processor", 10),
    ],
)
def test_a_function_runs_its_handler_within_its_time(
    template: Template, function: str, handler: str, service: str, timeout_s: int
) -> None:
    properties = template.properties(function)
    assert properties["Handler"] == f"functions.{handler}.entry.handle"
    assert properties["Runtime"] == "python3.13"
    assert properties["Architectures"] == ["x86_64"]
    assert properties["Timeout"] == timeout_s
    variables = properties["Environment"]["Variables"]
    assert variables["STACK_NAME"] == {"Ref": "AWS::StackName"}
    assert variables["POWERTOOLS_SERVICE_NAME"] == service
    assert variables["POWERTOOLS_METRICS_NAMESPACE"] == "Tidemark"
    assert not any("ENDPOINT" in name for name in variables)


def test_a_sweep_that_fails_is_left_to_the_next_one(template: Template) -> None:
    sweeper = template.logical_id("OutboxSweeperName")
    (config,) = template.resources("AWS::Lambda::EventInvokeConfig").values()
    assert config["FunctionName"] == {"Ref": sweeper}
    assert (config["MaximumRetryAttempts"], config["MaximumEventAgeInSeconds"]) == (0, 60)
    (rule,) = template.resources("AWS::Events::Rule").values()
    (target,) = rule["Targets"]
    assert target["RetryPolicy"] == {"MaximumRetryAttempts": 0, "MaximumEventAgeInSeconds": 60}


def test_nothing_outlives_the_stack_unless_asked(template: Template) -> None:
    for logical_id, resource in template.content["Resources"].items():
        assert resource.get("DeletionPolicy", "Delete") == "Delete", logical_id


def test_no_resource_is_made_by_code_of_the_cdk(template: Template) -> None:
    kinds = {resource["Type"] for resource in template.content["Resources"].values()}
    assert not any(kind.startswith("Custom::") for kind in kinds)
    assert "AWS::CloudFormation::CustomResource" not in kinds
    assert "AWS::ApiGateway::Account" not in kinds, "that belongs to the account, not to a stack"


@pytest.fixture(scope="module")
def plain_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("plain")
    plain.write(folder, choices=Choices(retention="retain", architecture="arm64"))
    return folder


def test_the_plain_template_needs_no_bootstrap(plain_folder: Path, queued: Template) -> None:
    content = json.loads((plain_folder / "template.json").read_text())
    assert "cdk" not in json.dumps(content).lower().replace("aws:cdk:do-not-refactor", "")
    assert set(content["Parameters"]) == {"CodeBucket", "CodeKey"}
    assert "Rules" not in content
    for resource in content["Resources"].values():
        if resource["Type"] == "AWS::Lambda::Function":
            assert resource["Properties"]["Code"] == {
                "S3Bucket": {"Ref": "CodeBucket"},
                "S3Key": {"Ref": "CodeKey"},
            }
    assert set(content["Resources"]) == set(queued.content["Resources"])
    assert content["Outputs"] == queued.content["Outputs"]


def test_a_template_fits_cloudformation(plain_folder: Path, template: Template) -> None:
    assert len((plain_folder / "template.json").read_bytes()) < 1_000_000
    assert len(template.content["Resources"]) < 500


def test_tables_outlive_the_stack_when_asked(plain_folder: Path) -> None:
    content = json.loads((plain_folder / "template.json").read_text())
    retained = {
        resource["Type"]
        for resource in content["Resources"].values()
        if resource.get("DeletionPolicy") == "Retain"
    }
    assert retained == {"AWS::DynamoDB::Table"}


def test_the_architecture_is_the_one_that_was_asked_for(plain_folder: Path) -> None:
    content = json.loads((plain_folder / "template.json").read_text())
    assert {
        tuple(resource["Properties"]["Architectures"])
        for resource in content["Resources"].values()
        if resource["Type"] == "AWS::Lambda::Function"
    } == {("arm64",)}


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        ({"wiring": "carrier pigeon"}, "wiring=carrier pigeon .* queued, direct"),
        ({"architecture": "6502"}, "arch=6502 .* x86_64, arm64"),
        ({"retention": "forever"}, "retention=forever .* destroy, retain"),
    ],
)
def test_an_unknown_choice_is_refused_with_the_known_ones(
    choice: dict[str, str], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        Choices(**choice)
