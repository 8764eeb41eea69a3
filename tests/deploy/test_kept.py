"""How a deployed stack was chosen to be, read from its template and outputs."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from tidemark.deploy import kept

if TYPE_CHECKING:
    from tidemark.aws.clients import AwsClients

TOPIC = "arn:aws:sns:eu-west-1:123456789012:alarms"


def clients(template: dict[str, Any], **outputs: str) -> AwsClients:
    found = [{"OutputKey": key, "OutputValue": value} for key, value in outputs.items()]
    stack = {"StackStatus": "CREATE_COMPLETE", "Outputs": found}
    return cast(
        "AwsClients",
        SimpleNamespace(
            cloudformation=SimpleNamespace(
                describe_stacks=lambda **_: {"Stacks": [stack]},
                get_template=lambda **_: {"TemplateBody": template},
            )
        ),
    )


def resource(kind: str, *, deletion: str = "Delete", **properties: Any) -> dict[str, Any]:
    return {"Type": f"AWS::{kind}", "DeletionPolicy": deletion, "Properties": properties}


def test_each_choice_is_read_from_what_it_made() -> None:
    resources = {
        "Table": resource("DynamoDB::Table", deletion="Retain"),
        "Provider": resource("Lambda::Function"),
        "Handler": resource("Lambda::Function", Architectures=["arm64"]),
        "Alarm": resource("CloudWatch::Alarm", AlarmActions=[TOPIC]),
        "Fn::ForEach::Loop": ["of", "CloudFormation"],
    }

    assert kept.choices(clients({"Resources": resources}, Wiring="direct"), "Tidemark") == {
        "wiring": "direct",
        "arch": "arm64",
        "retention": "retain",
        "alarm_topic_arn": TOPIC,
    }


def test_what_a_template_does_not_tell_is_no_choice() -> None:
    alarm = resource("CloudWatch::Alarm", AlarmActions=[{"Ref": "Topic"}])

    assert kept.choices(clients({"Resources": {"Alarm": alarm}}), "Tidemark") == {
        "retention": "destroy"
    }


@pytest.mark.parametrize("template", [{}, {"Resources": None}])
def test_a_stack_that_is_not_made_yet_was_not_chosen_to_be_retained(
    template: dict[str, Any],
) -> None:
    assert kept.choices(clients(template), "Tidemark").get("retention") in {None, "destroy"}
