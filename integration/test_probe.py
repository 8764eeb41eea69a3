"""`tidemark probe` finds on the session's target what docs/targets says of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tidemark.cli import known
from tidemark.cli import probe as verb
from tidemark.errors import EndedError, ExitCode
from tidemark.probe.names import PREFIX
from tidemark.probe.result import Result
from tidemark.targets.emulators import emulator_at
from tidemark.testing.capabilities import MEASURED

if TYPE_CHECKING:
    from integration.site import Site
    from tidemark.targets.base import Target

TARGETS = Path(__file__).resolve().parent.parent / "docs" / "targets"
# Quick ones, of every kind of resource, whose answer differs between targets or must not.
ROWS = [
    "unsigned-request",
    "fifo-grouping",
    "start-message-move-task",
    "cancellation-reasons",
    "request-token",
    "reserved-concurrency-by-cloudformation",
    "deployed-dashboard",
]
MAKES_NOTHING = "iam-unknown-access-key"


@pytest.fixture
def committed(site: Site) -> Path:
    """What docs/targets says of the target."""
    endpoint = site.deployment.endpoint
    found = emulator_at(endpoint) if endpoint else None
    if found is None or (found.target, found.version) not in MEASURED:
        pytest.skip(f"nobody has measured what answers at {endpoint or 'AWS'} yet: {found}")
    return TARGETS / f"{found.target}.json"


@pytest.fixture(autouse=True)
def _chosen(site: Site, target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known, "choose", lambda *_: (site.deployment, target))


def test_rows_say_what_is_committed_and_leave_nothing_behind(
    site: Site, committed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    verb.probe(ROWS, as_json=True, against=committed)

    printed = capsys.readouterr()
    document = json.loads(printed.out)
    assert document["against"] == {"same": len(ROWS), "changed": []}
    assert [one.name for one in Result.from_json(document).row_results] == ROWS
    assert "Could not be removed" not in printed.err
    assert _left(site) == []


def test_a_row_that_says_something_else_ends_with_unknown(
    committed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = json.loads(committed.read_text(encoding="utf-8"))
    for row in document["rows"]:
        if row["name"] == MAKES_NOTHING:
            row["observed"] = "something else"
    changed = tmp_path / "changed.json"
    changed.write_text(json.dumps(document), encoding="utf-8")

    with pytest.raises(EndedError) as ended:
        verb.probe([MAKES_NOTHING], against=changed)

    assert ended.value.exit_code is ExitCode.UNKNOWN
    assert ": something else\n    now " in capsys.readouterr().out


def _left(site: Site) -> list[str]:
    """What is still there of the probe's own."""
    aws = site.aws
    there = [
        *(url.rpartition("/")[2] for url in aws.sqs.list_queues().get("QueueUrls", [])),
        *aws.dynamodb.list_tables()["TableNames"],
        *(
            one["FunctionName"]
            for page in aws.functions.get_paginator("list_functions").paginate()
            for one in page["Functions"]
        ),
        *(one["RoleName"] for one in aws.client("iam").list_roles()["Roles"]),
        *(one["name"] for one in aws.client("apigateway").get_rest_apis()["items"]),
        *(
            one["StackName"]
            for one in aws.cloudformation.list_stacks()["StackSummaries"]
            if one["StackStatus"] != "DELETE_COMPLETE"
        ),
    ]
    return [one for one in there if one.startswith(PREFIX)]
