"""Metrics read from log lines."""

from __future__ import annotations

import json
from typing import Any

from tidemark.aws.metrics import LoggedMetric, read


def _line(**values: Any) -> str:
    return json.dumps(
        {
            "_aws": {
                "Timestamp": 1000,
                "CloudWatchMetrics": [
                    {
                        "Namespace": "Tidemark",
                        "Dimensions": [["stack"]],
                        "Metrics": [
                            {"Name": "Lag", "Unit": "Milliseconds"},
                            {"Name": "Gaps"},
                        ],
                    }
                ],
            },
            "stack": "A",
            **values,
        }
    )


def _metric(name: str, value: float, unit: str) -> LoggedMetric:
    return LoggedMetric("Tidemark", name, {"stack": "A"}, unit, value)


def test_a_line_gives_each_metric_that_has_a_value() -> None:
    assert list(read([_line(Lag=12.5, Gaps=0)])) == [
        _metric("Lag", 12.5, "Milliseconds"),
        _metric("Gaps", 0, "None"),
    ]
    assert list(read([_line(Lag=12.5)])) == [_metric("Lag", 12.5, "Milliseconds")]


def test_several_values_in_one_line_come_one_by_one() -> None:
    assert [one.value for one in read([_line(Lag=[1, 2])])] == [1.0, 2.0]


def test_what_stands_before_the_document_does_not_matter() -> None:
    assert len(list(read([f"2026-11-23 INFO {_line(Lag=1)}\n"]))) == 1


def test_lines_without_metrics_give_none() -> None:
    assert list(read(["START", "{", '{"a": 1}', _line(Lag=1)[:-5], '["_aws"]', _line()])) == []


def test_a_metric_with_two_sets_of_dimensions_comes_twice() -> None:
    document = json.loads(_line(Lag=1, function="f"))
    document["_aws"]["CloudWatchMetrics"][0]["Dimensions"] = [["stack"], ["stack", "function"]]

    assert [one.dimensions for one in read([json.dumps(document)])] == [
        {"stack": "A"},
        {"stack": "A", "function": "f"},
    ]
