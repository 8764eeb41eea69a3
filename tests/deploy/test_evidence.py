"""What is kept of a failed deploy is of that deploy, and ends."""

from __future__ import annotations

from itertools import count
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from tidemark.aws.connection import Connection
from tidemark.deploy import evidence
from tidemark.targets.base import TargetOptions
from tidemark.targets.endpoint import EndpointTarget

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CONNECTION = Connection("us-east-1", "http://127.0.0.1:1")


@pytest.fixture
def function() -> dict[str, str]:
    """The function, as the target describes it."""
    return {
        "ResourceType": "AWS::Lambda::Function",
        "LogicalResourceId": "Handler",
        "PhysicalResourceId": "Tidemark-Handler",
    }


@pytest.fixture
def asked(function: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What was asked of the logs of a function that never stops logging."""
    asked: list[dict[str, Any]] = []

    def pages(**parameters: Any) -> Iterator[dict[str, Any]]:
        asked.append(parameters)
        return ({"events": [{"message": f"line {number}\n"}]} for number in count())

    events = SimpleNamespace(paginate=lambda **_: [{"StackEvents": []}])
    clients = SimpleNamespace(
        cloudformation=SimpleNamespace(
            get_paginator=lambda _: events,
            describe_stack_resources=lambda **_: {"StackResources": [function]},
        ),
        functions=SimpleNamespace(get_function_configuration=lambda **_: {}),
        logs=SimpleNamespace(
            get_paginator=lambda _: SimpleNamespace(paginate=pages),
            exceptions=SimpleNamespace(ResourceNotFoundException=KeyError),
        ),
    )
    monkeypatch.setattr(evidence, "AwsClients", lambda _: clients)
    return asked


def test_the_log_of_a_busy_function_is_read_from_the_deploy_on_and_has_an_end(
    asked: list[dict[str, Any]], tmp_path: Path
) -> None:
    target = EndpointTarget(TargetOptions(state=tmp_path))

    evidence.keep(tmp_path / "kept", target, CONNECTION, ["Tidemark"], since_ms=1_700_000_000_000)

    assert [one["startTime"] for one in asked] == [1_700_000_000_000]
    lines = (tmp_path / "kept" / "Handler.log").read_text().splitlines()
    assert lines[0] == "line 0"
    assert len(lines) < 100


@pytest.mark.usefixtures("asked")
@pytest.mark.parametrize("name", ["../../Handler", "/etc/Handler", "..", "a\0b", "a" * 300])
def test_a_name_that_a_target_gives_leads_nowhere_else(
    function: dict[str, str], tmp_path: Path, name: str
) -> None:
    function["LogicalResourceId"] = name
    target, kept = EndpointTarget(TargetOptions(state=tmp_path)), tmp_path / "kept"

    evidence.keep(kept, target, CONNECTION, ["Tidemark"], since_ms=0)

    [log] = kept.rglob("*.log")
    assert log.parent == kept
    assert [path for path in tmp_path.iterdir() if path != kept] == []
