"""What a template declares beside what a service describes."""

from __future__ import annotations

from typing import Any

import pytest

from tidemark.probe.declared import missing


@pytest.mark.parametrize(
    ("declared", "deployed"),
    [
        ({"Timeout": 10}, {"Timeout": "10"}),
        ({"Enabled": True}, {"enabled": "true"}),
        ({"Threshold": 1}, {"Threshold": 1.0}),
        ({"Role": {"Fn::GetAtt": ["Role", "Arn"]}}, {"Role": "arn:aws:iam::1:role/a"}),
        ({"TableName": {"Ref": "Table"}}, {"TableName": "a", "More": "b"}),
        ({"Entries": [{"Id": 1}, {"Id": 2}]}, {"Entries": [{"Id": 2, "x": 1}, {"Id": 1}]}),
        ({}, {}),
    ],
)
def test_what_is_there_is_not_missing(declared: Any, deployed: Any) -> None:
    assert list(missing(declared, deployed)) == []


@pytest.mark.parametrize(
    ("declared", "deployed", "named"),
    [
        ({"Timeout": 10}, {}, "Timeout"),
        ({"Timeout": 10}, {"Timeout": 3}, "Timeout (3 instead of 10)"),
        ({"Role": {"Ref": "Role"}}, {"Role": None}, "Role"),
        (
            {"Ttl": {"Enabled": True}},
            {"Ttl": {"Enabled": False}},
            "Ttl.Enabled (false instead of true)",
        ),
        ({"Ttl": {"Enabled": True}}, {"Ttl": "on"}, "Ttl.Enabled"),
        ({"Entries": [{"Id": 1}]}, {"Entries": []}, "Entries"),
        ({"Entries": [{"Id": 1}]}, {"Entries": [{"Id": 2}]}, "Entries"),
        ({"Entries": ["a", "a"]}, {"Entries": ["a"]}, "Entries"),
        ({"Types": ["a", "b"]}, {"Types": ["a", "c"]}, "Types"),
    ],
)
def test_what_did_not_arrive_is_named(declared: Any, deployed: Any, named: str) -> None:
    assert list(missing(declared, deployed)) == [named]
