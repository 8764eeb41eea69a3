"""Names and ARNs in place of CloudFormation's functions."""

from __future__ import annotations

from typing import Any

import pytest

from tidemark.permissions.template import Template, UnreadableTemplateError

TOPIC = "arn:aws:sns:eu-west-1:111122223333:Bell"
TABLE = "arn:aws:dynamodb:eu-west-1:111122223333:table/Log"
TEMPLATE = Template(
    {
        "Resources": {
            "Bell": {"Type": "AWS::SNS::Topic"},
            "Log": {"Type": "AWS::DynamoDB::Table"},
            "Bucket": {"Type": "AWS::S3::Bucket"},
        },
        "Outputs": {
            "TopicArn": {"Value": {"Ref": "Bell"}},
            "CommandTableName": {"Value": {"Ref": "Log"}},
            "Wiring": {"Value": "queued"},
            "StageName": {"Value": "v1"},
        },
    }
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("as it is", "as it is"),
        (True, "true"),
        ({"Ref": "AWS::AccountId"}, "111122223333"),
        ({"Ref": "Bell"}, TOPIC),
        ({"Ref": "Log"}, "Log"),
        ({"Fn::GetAtt": ["Log", "Arn"]}, TABLE),
        ({"Fn::GetAtt": ["Bell", "TopicArn"]}, TOPIC),
        ({"Fn::GetAtt": ["Bell", "TopicName"]}, "Bell"),
        ({"Fn::Join": ["", [{"Fn::GetAtt": ["Log", "Arn"]}, "/index/x"]]}, f"{TABLE}/index/x"),
        ({"Fn::Join": ["-", ["a", "b"]]}, "a-b"),
        ({"Fn::Sub": "${Log.Arn}/${AWS::Region}/${!Kept}"}, f"{TABLE}/eu-west-1/${{!Kept}}"),
        ({"Fn::Sub": ["${mine}:${Log}", {"mine": {"Ref": "Bell"}}]}, f"{TOPIC}:Log"),
    ],
    ids=str,
)
def test_a_value_is_read_as_text(value: Any, text: str) -> None:
    assert TEMPLATE.text(value) == text


@pytest.mark.parametrize(
    "value",
    [
        1,
        None,
        ["a"],
        {"Fn::ImportValue": "a"},
        {"Ref": "Absent"},
        {"Fn::GetAtt": ["Absent", "Arn"]},
        {"Fn::GetAtt": ["Bucket", "Arn"]},
    ],
    ids=str,
)
def test_what_is_not_understood_is_an_error_and_no_guess(value: Any) -> None:
    with pytest.raises(UnreadableTemplateError):
        TEMPLATE.text(value)


def test_resources_are_called_as_the_outputs_call_them() -> None:
    assert {name: one.logical_id for name, one in TEMPLATE.named.items()} == {
        "Topic": "Bell",
        "CommandTable": "Log",
    }
    assert TEMPLATE.name(TEMPLATE.resources["Log"]) == "CommandTable"
    assert TEMPLATE.name(TEMPLATE.resources["Bucket"]) == "Bucket"
