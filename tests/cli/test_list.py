"""The verb list: what is deployed where, and whether it is up."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import pytest

from tests.cli.narrow import assert_readable
from tidemark.aws import stacks
from tidemark.aws.connection import Connection
from tidemark.aws.stacks import LiveStack
from tidemark.cli import list as verb
from tidemark.cli import program
from tidemark.host.deployment import Deployment
from tidemark.targets.aws import AwsTarget
from tidemark.targets.base import SilentTargetError
from tidemark.targets.embedded import EmbeddedTarget
from tidemark.targets.endpoint import EndpointTarget

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    List = Callable[..., list[dict[str, Any]]]

ENDPOINT = "http://127.0.0.1:48955"
DEPLOYMENT = Deployment(
    target="embedded",
    endpoint=ENDPOINT,
    region="us-east-1",
    stack_name="Tidemark",
    api_url=f"{ENDPOINT}/_aws/execute-api/4fdbadf2/v1",
    template_digest="0" * 64,
    outputs={"Wiring": "direct"},
)


@pytest.fixture(autouse=True)
def _state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDEMARK_STATE_DIR", str(tmp_path))
    monkeypatch.delenv("TARGET", raising=False)
    connection = Connection("us-east-1", ENDPOINT)
    monkeypatch.setattr(EmbeddedTarget, "find", lambda _: connection)
    live = {"Tidemark": LiveStack("CREATE_COMPLETE", {}), "Half": LiveStack("UPDATE_FAILED", {})}
    monkeypatch.setattr(stacks, "describe", lambda _, name: live.get(name))


@pytest.fixture
def listed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> List:
    def run(*arguments: str) -> list[dict[str, Any]]:
        monkeypatch.setattr(sys, "argv", ["tidemark", "list", "--json", *arguments])
        assert program.run() == 0
        rows: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
        return rows

    return run


def states(rows: list[dict[str, Any]]) -> dict[str, str]:
    return {row["stack"]: row["state"] for row in rows}


def test_each_known_deployment_is_a_row(listed: List) -> None:
    for name in ("Tidemark", "Half", "Deleted"):
        replace(DEPLOYMENT, stack_name=name).save()

    rows = listed()

    assert states(rows) == {"Tidemark": "up", "Half": "UPDATE_FAILED", "Deleted": "gone"}
    assert rows[-1] == {
        "stack": "Tidemark",
        "target": "embedded",
        "wiring": "direct",
        "endpoint": ENDPOINT,
        "api_url": DEPLOYMENT.api_url,
        "state": "up",
    }


def test_a_target_that_does_not_run_or_answer_is_said_so(
    listed: List, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent(_: EndpointTarget) -> Connection:
        raise SilentTargetError("It does not answer.")

    monkeypatch.setattr(EmbeddedTarget, "find", lambda _: None)
    monkeypatch.setattr(EndpointTarget, "find", silent)
    DEPLOYMENT.save()
    replace(DEPLOYMENT, target="endpoint", stack_name="Guest").save()

    assert states(listed()) == {
        "Guest": "It does not answer.",
        "Tidemark": "target does not run",
    }


def test_aws_is_asked_only_if_it_is_named(listed: List, monkeypatch: pytest.MonkeyPatch) -> None:
    found = Connection("eu-west-1", account="1" * 12, caller=cast("Any", object()))
    monkeypatch.setattr(AwsTarget, "find", lambda _: found)
    replace(DEPLOYMENT, target="aws", endpoint=None, region="eu-west-1").save()
    replace(DEPLOYMENT, stack_name="Half").save()

    assert states(listed())["Tidemark"] == "not asked: --target aws"
    [named] = listed("--target", "aws")
    assert (named["state"], named["endpoint"]) == ("up", "AWS, eu-west-1")


def test_where_nothing_is_known_that_is_said(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    verb.show()

    assert f"No deployment is known in {tmp_path}: `tidemark up`" in capsys.readouterr().out


def test_it_is_read_at_80_columns(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    replace(DEPLOYMENT, stack_name="Tidemark-of-somebody-with-a-long-name").save()
    replace(DEPLOYMENT, target="aws", endpoint=None, region="ap-southeast-1").save()

    printed = assert_readable(verb.show, monkeypatch, capsys)

    assert "not asked: --target aws" in " ".join(printed.split())
