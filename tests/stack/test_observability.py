"""Alarms and dashboard look at metrics that something writes."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from stack.app import add_stack, new_app
from stack.cqrs_stack import Choices

if TYPE_CHECKING:
    from tests.stack.conftest import Template


FUNCTION_SOURCES = Path(__file__).resolve().parents[2] / "functions"


def dashboard(template: Template) -> dict[str, Any]:
    """Returns the dashboard's body, references replaced by their logical ids."""
    (found,) = template.resources("AWS::CloudWatch::Dashboard").values()
    parts = found["DashboardBody"]["Fn::Join"][1]
    text = "".join(
        part if isinstance(part, str) else part.get("Ref") or part["Fn::GetAtt"][0]
        for part in parts
    )
    body: dict[str, Any] = json.loads(text)
    return body


def drawn(template: Template) -> set[tuple[str, str]]:
    """Returns namespace and name of every metric on the dashboard."""
    found: set[tuple[str, str]] = set()
    for widget in dashboard(template)["widgets"]:
        for metric in widget["properties"].get("metrics", []):
            found.add((metric[0], metric[1]))
    return found


def alarms(template: Template) -> dict[str, dict[str, Any]]:
    """Returns the alarms by the ids that the stack gives them."""
    return {
        re.sub(r"^Observability(.*)[0-9A-F]{8}$", r"\1", name): alarm
        for name, alarm in template.resources("AWS::CloudWatch::Alarm").items()
    }


def test_the_dashboard_shows_the_whole_way_of_a_command(template: Template) -> None:
    own = {name for namespace, name in drawn(template) if namespace == "Tidemark"}
    assert own == {
        "AccountReads",
        "CommandsAccepted",
        "CommandsBusy",
        "CommandsUnavailable",
        "CommandsRefused",
        "CommandsReplayed",
        "Duplicates",
        "EventsApplied",
        "GapsHealed",
        "OutboxOldestAge",
        "OutboxSize",
        "OutboxStuck",
        "OutboxUnreadShards",
        "OutboxUnreadable",
        "OwnerAccountsReads",
        "OwnerTotalsReads",
        "PostponeFailed",
        "ProjectionLag",
        "PublishFailed",
        "ReadWait",
        "ReadsBehind",
        "ReadsRefused",
        "ReadsUnavailable",
        "RecordsFailed",
        "StatementReads",
    }
    assert drawn(template) >= {
        ("AWS/ApiGateway", "4XXError"),
        ("AWS/ApiGateway", "5XXError"),
        ("AWS/ApiGateway", "Latency"),
        ("AWS/Lambda", "Duration"),
        ("AWS/Lambda", "Errors"),
        ("AWS/Lambda", "Throttles"),
        ("AWS/SQS", "ApproximateAgeOfOldestMessage"),
        ("AWS/SQS", "ApproximateNumberOfMessagesVisible"),
    }


def test_the_functions_write_every_metric_that_is_looked_at(template: Template) -> None:
    written = "\n".join(path.read_text() for path in FUNCTION_SOURCES.rglob("*.py"))
    looked_at = {name for namespace, name in drawn(template) if namespace == "Tidemark"}
    looked_at |= {
        alarm["MetricName"]
        for alarm in alarms(template).values()
        if alarm["Namespace"] == "Tidemark"
    }
    unwritten = {name for name in looked_at if not re.search(rf"\b{name}\b", written)}
    assert unwritten == set()


def test_there_is_an_alarm_for_everything_that_needs_a_person(template: Template) -> None:
    functions = ("CommandHandler", "OutboxSweeper", "QueryHandler", "UpdateProcessor")
    assert set(alarms(template)) == {
        "ApiServerErrors",
        "DeadLetters",
        "OutboxAge",
        "OutboxStuck",
        "OutboxUnread",
        "OutboxUnreadable",
        "ProjectionLag",
        "SweeperSilent",
        "WaitingReads",
        *(f"{function}Errors" for function in functions),
        *(f"{function}Throttles" for function in functions),
    }
    shown = dashboard(template)["widgets"][0]["properties"]["alarms"]
    assert set(shown) == set(template.resources("AWS::CloudWatch::Alarm"))


@pytest.mark.parametrize(
    ("name", "metric", "statistic", "comparison", "threshold"),
    [
        ("DeadLetters", "ApproximateNumberOfMessagesVisible", "Maximum", ">=", 1),
        ("OutboxAge", "OutboxOldestAge", "Maximum", ">", 300),
        ("OutboxStuck", "OutboxStuck", "Maximum", ">=", 1),
        ("OutboxUnread", "OutboxUnreadShards", "Maximum", ">=", 1),
        ("OutboxUnreadable", "OutboxUnreadable", "Maximum", ">=", 1),
        # A sweep that fails is an invocation, too: only what a sweep writes at its end tells.
        ("SweeperSilent", "Sweeps", "Sum", "<", 1),
        ("ProjectionLag", "ProjectionLag", "p99", ">", 10_000),
        # A hundred invocations that wait all the time, in milliseconds a minute.
        ("WaitingReads", "ReadWait", "Sum", ">", 6_000_000),
        ("ApiServerErrors", "5XXError", "Average", ">", 0.01),
        ("UpdateProcessorErrors", "Errors", "Sum", ">=", 1),
        ("UpdateProcessorThrottles", "Throttles", "Sum", ">=", 1),
    ],
)
def test_an_alarm_goes_off_above_its_limit(
    template: Template, name: str, metric: str, statistic: str, comparison: str, threshold: float
) -> None:
    alarm = alarms(template)[name]
    operators = {
        "GreaterThanThreshold": ">",
        "GreaterThanOrEqualToThreshold": ">=",
        "LessThanThreshold": "<",
    }
    assert alarm["MetricName"] == metric
    assert alarm.get("Statistic", alarm.get("ExtendedStatistic")) == statistic
    assert operators[alarm["ComparisonOperator"]] == comparison
    assert alarm["Threshold"] == threshold
    assert alarm["AlarmDescription"]


def treated(template: Template, missing: str) -> set[str]:
    """Returns the alarms that take a missing datapoint so."""
    return {
        name for name, alarm in alarms(template).items() if alarm["TreatMissingData"] == missing
    }


def test_silence_is_an_alarm_only_where_something_should_be_heard(template: Template) -> None:
    assert treated(template, "breaching") == {"SweeperSilent"}


def test_a_minute_without_a_sweep_leaves_what_the_sweeper_saw_as_it_was(template: Template) -> None:
    seen_by_the_sweeper = {"OutboxAge", "OutboxStuck", "OutboxUnread", "OutboxUnreadable"}
    assert treated(template, "ignore") == seen_by_the_sweeper


def test_a_part_of_the_outbox_may_be_unread_now_and_then(template: Template) -> None:
    alarm = alarms(template)["OutboxUnread"]
    assert (alarm["DatapointsToAlarm"], alarm["EvaluationPeriods"]) == (3, 5)


def test_nobody_is_told_of_an_alarm_unless_a_topic_is_named(template: Template) -> None:
    for alarm in alarms(template).values():
        assert not {"AlarmActions", "OKActions"} & alarm.keys()


def test_a_named_topic_is_told_of_each_alarm_and_of_its_end(tmp_path: Path) -> None:
    topic = "arn:aws:sns:eu-central-1:123456789012:on-call"
    app = new_app(tmp_path)
    stack = add_stack(app, choices=Choices(alarm_topic_arn=topic))
    app.synth()
    content = json.loads((tmp_path / stack.template_file).read_text())
    found = [
        resource["Properties"]
        for resource in content["Resources"].values()
        if resource["Type"] == "AWS::CloudWatch::Alarm"
    ]
    assert found
    for alarm in found:
        assert alarm["AlarmActions"] == alarm["OKActions"] == [topic]
        assert alarm.get("ActionsEnabled", True)


def test_what_is_no_topic_is_refused() -> None:
    with pytest.raises(ValueError, match="alarm_topic_arn=on-call is not the ARN of an SNS topic"):
        Choices(alarm_topic_arn="on-call")


def test_stacks_side_by_side_do_not_share_metrics(template: Template) -> None:
    for name, alarm in alarms(template).items():
        told_apart_by = {item["Name"]: item["Value"] for item in alarm["Dimensions"]}
        if alarm["Namespace"] == "Tidemark":
            assert told_apart_by == {"stack": {"Ref": "AWS::StackName"}}, name
        else:
            own = [value for value in told_apart_by.values() if not isinstance(value, str)]
            assert own, f"{name} looks at what other stacks do, too"
