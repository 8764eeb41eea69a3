"""A dry run prints what would be run, word by word, calls nothing and writes nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from tests.targets.aws.conftest import REGION

if TYPE_CHECKING:
    from pathlib import Path

    from tests.targets.aws.conftest import Run

SECRETS = ("AKIAEXAMPLE", "a-secret-key", "a-session-token")


@pytest.fixture(autouse=True)
def _nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any call and any child process fails the test."""

    def happen(*_: Any, **__: Any) -> NoReturn:
        pytest.fail("something was called")

    monkeypatch.setattr("botocore.httpsession.URLLib3Session.send", happen)
    monkeypatch.setattr("tidemark.host.processes.Children.run", happen)


@pytest.mark.usefixtures("credentials")
def test_up_prints_the_commands_in_order(run: Run, checkout: Path) -> None:
    ended = run("up", "--target", "aws", "--dry-run", "--tag", "team=x", "--retention", "retain")

    assert ended.exit_code == 0
    lines = ended.stdout.splitlines()
    assert lines[:2] == [
        f"AWS, region {REGION}, any account (TIDEMARK_AWS_ACCOUNT names one)",
        "Nothing is done. In this order, it would:",
    ]
    [synthesis] = [line for line in lines if line.endswith("-m stack.app")]
    [bootstrap] = [line for line in lines if "bin/cdk bootstrap" in line]
    [deploy] = [line for line in lines if "bin/cdk deploy" in line]
    assert lines.index(synthesis) < lines.index(bootstrap) < lines.index(deploy)
    context = json.dumps({"wiring": "queued", "retention": "retain", "stack_name": "Tidemark"})
    assert context in synthesis
    assert f" aws://ACCOUNT/{REGION}" in bootstrap
    assert f"--app {checkout}/build/synth/" in deploy
    assert "--require-approval never" in deploy
    assert deploy.endswith("--tags team=x --tags project=tidemark")


@pytest.mark.usefixtures("credentials")
def test_a_named_account_is_the_one_in_the_commands(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIDEMARK_AWS_ACCOUNT", "999999999999")

    printed = run("up", "--target", "aws", "--dry-run").stdout

    assert f" aws://999999999999/{REGION}" in printed
    assert "refuse any account but 999999999999" in printed


@pytest.mark.usefixtures("credentials")
@pytest.mark.parametrize("verb", ["up", "deploy", "down", "destroy"])
def test_the_environment_is_printed_without_a_secret(run: Run, verb: str) -> None:
    ended = run(verb, "--target", "aws", "--dry-run")

    assert ended.exit_code == 0
    assert f"  AWS_REGION={REGION}" in ended.stdout.splitlines()
    assert "  AWS_SECRET_ACCESS_KEY=(hidden)" in ended.stdout.splitlines()
    assert not any(secret in ended.stdout + ended.stderr for secret in SECRETS)


@pytest.mark.usefixtures("credentials")
@pytest.mark.parametrize("verb", ["up", "deploy", "down", "destroy"])
def test_nothing_is_written_but_the_lock(run: Run, tmp_path: Path, verb: str) -> None:
    run(verb, "--target", "aws", "--dry-run")

    left = {path.name for path in (tmp_path / "state").rglob("*")}
    assert left <= {"lock"}
    assert [path.name for path in (tmp_path / "checkout").rglob("*")] == ["cdk.json"]


@pytest.mark.usefixtures("credentials")
@pytest.mark.parametrize("verb", ["down", "destroy"])
def test_deleting_names_the_stack_and_the_calls(run: Run, verb: str) -> None:
    printed = run(verb, "--target", "aws", "--dry-run", "--stack-name", "Second").stdout

    assert "cloudformation:DeleteStack Second" in printed
    assert "dynamodb:Scan" in printed


@pytest.mark.usefixtures("credentials")
def test_make_passes_the_choice_of_the_program_by_the_environment(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEPLOY_WITH", "cdklocal")

    ended = run("up", "--target", "aws", "--dry-run")

    assert ended.exit_code == 64
    assert "cdklocal deploys to emulators" in ended.sentence
