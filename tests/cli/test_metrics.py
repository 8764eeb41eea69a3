"""The verb metrics: what the functions logged, as CloudWatch would count it."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tidemark.aws import logs
from tidemark.aws.logs import Line
from tidemark.cli import known, program
from tidemark.host.deployment import Deployment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Metrics = Callable[..., tuple[int, str]]

DEPLOYMENT = Deployment(
    target="embedded",
    endpoint="http://127.0.0.1:9",
    region="us-east-1",
    stack_name="Tidemark",
    api_url="http://127.0.0.1:9/_aws/execute-api/a/v1",
    template_digest="0" * 64,
    outputs={"Wiring": "queued"},
)


def _line(name: str, value: float, unit: str) -> str:
    """A line as Powertools writes it."""
    declared = {
        "Namespace": "Tidemark",
        "Dimensions": [["stack"]],
        "Metrics": [{"Name": name, "Unit": unit}],
    }
    meta = {"Timestamp": 1_795_702_101_936, "CloudWatchMetrics": [declared]}
    return json.dumps({"_aws": meta, "stack": "Tidemark", name: [value]})


LOGGED = [
    "START RequestId: 1",
    *(_line("ProjectionLag", lag_ms, "Milliseconds") for lag_ms in (10.0, 40.0, 20.0)),
    *(_line("CommandsAccepted", 1.0, "Count") for _ in range(3)),
    '{"message": "invocation", "outcome": "accepted"}',
]


@pytest.fixture
def metrics(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Metrics:
    """Runs the verb on functions that have logged some lines."""

    def run(*arguments: str, logged: list[str]) -> tuple[int, str]:
        def read(*_: Any, since_ms: int, containing: str) -> Iterator[Line]:
            assert (since_ms > 0, containing) == (True, "_aws")
            yield from (Line(1, "", "update-processor", one) for one in logged)

        monkeypatch.setattr(logs, "read", read)
        monkeypatch.setattr(known, "reach", lambda *_: (DEPLOYMENT, None))
        monkeypatch.setattr(sys, "argv", ["tidemark", "metrics", *arguments])
        return program.run(), capsys.readouterr().out

    return run


def test_each_metric_is_a_row_with_percentiles_for_durations(metrics: Metrics) -> None:
    code, printed = metrics(logged=LOGGED)

    assert code == 0
    title, headings, _, accepted, lag, *_ = (line.split() for line in printed.splitlines())
    assert title == ["Tidemark,", "stack=Tidemark"]
    assert headings == ["metric", "count", "sum", "min", "max", "p50", "p99"]
    assert accepted == ["CommandsAccepted", *"3311"]
    assert lag == ["ProjectionLag", "ms", "3", "70", "10", "40", "20", "40"]


def test_the_document_has_all_figures(metrics: Metrics) -> None:
    _, printed = metrics("--json", logged=LOGGED)

    document = json.loads(printed)
    assert (document["target"], document["stack_name"]) == ("embedded", "Tidemark")
    assert [one["name"] for one in document["metrics"]] == ["CommandsAccepted", "ProjectionLag"]
    assert document["metrics"][0]["p50"] is None
    assert document["metrics"][1] == {
        "namespace": "Tidemark",
        "name": "ProjectionLag",
        "dimensions": {"stack": "Tidemark"},
        "unit": "Milliseconds",
        "count": 3,
        "sum": 70.0,
        "min": 10.0,
        "max": 40.0,
        "p50": 20.0,
        "p99": 40.0,
    }


def test_without_any_it_says_so(metrics: Metrics) -> None:
    code, printed = metrics("--since", "2", logged=["START"])

    assert code == 0
    assert printed == "The functions logged no metric in the last 2 minutes.\n"
    assert json.loads(metrics("--json", logged=[])[1])["metrics"] == []
