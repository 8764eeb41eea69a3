"""What a dry run prints is what the verb then runs, for a stack that is recorded here."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING

import pytest

from tests.targets.aws.conftest import ACCOUNT, REGION
from tests.targets.aws.small_stack import RecordingCdk, write_app
from tidemark.deploy import first_deposit
from tidemark.host.deployment import path_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.targets.aws.conftest import Run
    from tidemark.deploy.cdk import Invocation


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[Invocation]:
    """What the CDK command line was told, by whichever verb."""
    found: list[Invocation] = []
    run = RecordingCdk.run

    def noted(self: RecordingCdk, invocation: Invocation) -> object:
        found.append(invocation)
        return run(self, invocation)

    monkeypatch.setattr(RecordingCdk, "run", noted)
    monkeypatch.setattr("tidemark.cli.stack.Cdk", RecordingCdk)
    monkeypatch.setattr(first_deposit, "prove", lambda *_: first_deposit.Proof("a", 1, 1))
    return found


@pytest.fixture
def _recorded(
    checkout: Path,
    run: Run,
    tmp_path: Path,
    told: list[Invocation],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A stack with another name, retention and wiring, in another region than the caller's."""
    write_app(checkout)
    chosen = ["--stack-name", "Second", "--retention", "retain"]
    assert run("up", "--target", "aws", "--yes", *chosen).exit_code == 0
    path = path_of("aws", "Second", tmp_path / "state")
    record = json.loads(path.read_text())
    record["outputs"]["Wiring"] = "direct"  # the small stack knows no wiring
    path.write_text(json.dumps(record))
    monkeypatch.setenv("AWS_REGION", "us-west-2")
    told.clear()


@pytest.mark.usefixtures("account", "_recorded")
def test_deploy(run: Run, checkout: Path, told: list[Invocation]) -> None:
    write_app(checkout, "changed")
    printed = run("deploy", "--target", "aws", "--dry-run").stdout.splitlines()
    assert told == []

    assert run("deploy", "--target", "aws", "--yes").exit_code == 0

    [deploy] = told
    assert f"  {shlex.join(deploy.command)}" in printed
    assert f"  cd {deploy.cwd}" in printed
    assert {f"  {name}={deploy.env[name]}" for name in ("PATH", "NO_COLOR", "AWS_REGION")} <= {
        *printed
    }
    assert printed[0] == f"AWS, region {REGION}, account {ACCOUNT}"
    context = {"retention": "retain", "wiring": "direct", "stack_name": "Second"}
    assert any(f"CDK_CONTEXT_JSON='{json.dumps(context)}'" in line for line in printed)


@pytest.mark.usefixtures("account", "_recorded")
def test_up_keeps_the_recorded_retention_where_it_is_the_same_stack(
    run: Run, checkout: Path, told: list[Invocation], monkeypatch: pytest.MonkeyPatch
) -> None:
    up = ["up", "--target", "aws", "--stack-name", "Second"]
    write_app(checkout, "changed")
    elsewhere = run(*up, "--dry-run").stdout
    monkeypatch.setenv("TIDEMARK_AWS_ACCOUNT", "999999999999")
    monkeypatch.setenv("AWS_REGION", REGION)
    in_another_account = run(*up, "--dry-run").stdout
    monkeypatch.delenv("TIDEMARK_AWS_ACCOUNT")
    printed = run(*up, "--dry-run").stdout

    assert run(*up, "--yes").exit_code == 0

    assert '"retention"' not in elsewhere + in_another_account
    [deploy] = told
    assert f"  {shlex.join(deploy.command)}" in printed.splitlines()
    assert '"retention": "retain"' in printed


@pytest.mark.usefixtures("account", "_recorded")
@pytest.mark.parametrize("verb", ["down", "destroy"])
def test_deleting_is_of_the_recorded_stack_in_its_region_and_account(run: Run, verb: str) -> None:
    ended = run(verb, "--target", "aws", "--dry-run")

    assert ended.stdout.splitlines()[0] == f"AWS, region {REGION}, account {ACCOUNT}"
    assert f"refuse any account but {ACCOUNT}" in ended.stdout
    assert "cloudformation:DeleteStack Second" in ended.stdout


@pytest.mark.usefixtures("account", "_recorded")
def test_no_call_is_made(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def call(*_: object) -> None:
        pytest.fail("AWS was called")

    monkeypatch.setattr("botocore.client.BaseClient._make_api_call", call)

    for verb in ("up", "deploy", "down", "destroy"):
        assert run(verb, "--target", "aws", "--dry-run").exit_code == 0


@pytest.mark.usefixtures("account")
def test_what_is_not_recorded_here_is_said_to_be_looked_for(run: Run) -> None:
    printed = run("deploy", "--target", "aws", "--dry-run").stdout

    assert (
        "look for Tidemark there, because it is not recorded here, and take its wiring" in printed
    )
    assert "keep its retention" in printed


@pytest.mark.usefixtures("account", "_recorded")
@pytest.mark.parametrize("verb", ["up", "deploy"])
def test_who_names_wiring_and_retention_is_told_of_no_other(run: Run, verb: str) -> None:
    named = ["--wiring", "queued", "--retention", "destroy"]

    printed = run(verb, "--target", "aws", "--dry-run", *named).stdout

    assert '"wiring": "queued", "retention": "destroy"' in printed
    assert "keep its retention" not in printed
