"""The verb that tells other tools where a target is."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tidemark.aws.connection import Connection, Credentials
from tidemark.cli import program
from tidemark.errors import ExitCode
from tidemark.host.deployment import Deployment
from tidemark.targets.base import TargetOptions
from tidemark.targets.embedded import EmbeddedTarget
from tidemark.targets.endpoint import EndpointTarget
from tidemark.targets.localstack import LocalStackTarget
from tidemark.targets.stopping import starting

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "of this target's $alone"
EMBEDDED = Connection("us-east-1", "http://127.0.0.1:4000", Credentials("test", SECRET))
CONVENTIONAL = Credentials("test", "test")
DEPLOYMENT = Deployment(
    target="embedded",
    endpoint=EMBEDDED.endpoint,
    region="us-east-1",
    stack_name="Tidemark",
    api_url="",
    template_digest="",
    outputs={},
)


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state folder, and targets that answer."""
    monkeypatch.setenv("TIDEMARK_STATE_DIR", str(tmp_path))
    monkeypatch.delenv("TARGET", raising=False)
    answering = {
        EmbeddedTarget: EMBEDDED,
        LocalStackTarget: Connection("us-east-1", "http://127.0.0.1:4001", CONVENTIONAL),
    }
    for kind, connection in answering.items():
        monkeypatch.setattr(kind, "find", lambda _, found=connection: found)
    monkeypatch.setattr(
        EndpointTarget, "find", lambda it: it.reach(it.options.endpoint_url, "us-east-1")
    )
    return tmp_path


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    """What it prints for the stacks that a test knows; one is on the embedded target."""
    DEPLOYMENT.save()
    monkeypatch.setattr(sys, "argv", ["tidemark", "env"])
    assert program.run() is ExitCode.OK
    return capsys.readouterr().out


def asked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str
) -> tuple[ExitCode, str, str]:
    monkeypatch.setattr(sys, "argv", ["tidemark", "env", *arguments])
    code = program.run()
    out, err = capsys.readouterr()
    return code, out, err


def test_a_shell_that_takes_it_has_the_targets_keys_and_nobody_elses(said: str) -> None:
    script = f"{said}\n{shlex.join([sys.executable, '-c'])} 'import os; print(dict(os.environ))'"
    theirs = {"AWS_PROFILE": "theirs", "AWS_SESSION_TOKEN": "theirs", "AWS_ACCESS_KEY_ID": "AKIA"}

    shell = subprocess.run(
        ["/bin/sh", "-c", script], env=theirs, capture_output=True, text=True, check=True
    )

    for word in ("4000", "us-east-1", SECRET):
        assert word in shell.stdout
    for word in ("theirs", "AKIA"):
        assert word not in shell.stdout


@pytest.mark.parametrize(
    ("target", "endpoint", "secret"),
    [
        ("embedded", EMBEDDED.endpoint, SECRET),
        ("localstack", "http://127.0.0.1:4001", "test"),
        ("endpoint", "http://127.0.0.1:4002", "test"),
    ],
)
def test_each_target_but_an_account_says_how_it_is_reached(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    target: str,
    endpoint: str,
    secret: str,
) -> None:
    for name in ("embedded", "localstack", "endpoint"):
        for stack in ("One", "Two"):
            replace(DEPLOYMENT, target=name, endpoint=endpoint, stack_name=stack).save()

    code, out, _ = asked(monkeypatch, capsys, "--json", "--target", target)

    assert code is ExitCode.OK
    assert json.loads(out) == {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": secret,
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ENDPOINT_URL_S3": endpoint,
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
    }


@pytest.mark.parametrize("arguments", [(), ("--target", "aws")])
def test_nobodys_own_keys_are_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    replace(DEPLOYMENT, target="aws", endpoint=None, settings={"account": "1" * 12}).save()
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "theirs")

    code, out, err = asked(monkeypatch, capsys, *arguments)

    assert (code, out) == (ExitCode.NOT_STARTED, "")
    assert "on aws, choose yours by AWS_PROFILE." in err
    assert "theirs" not in err


def test_a_target_without_a_stack_is_told_as_well(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], state: Path
) -> None:
    with starting(EmbeddedTarget(TargetOptions(state=state))):
        pass

    assert asked(monkeypatch, capsys)[0] is ExitCode.OK


def test_none_and_several_are_said_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = asked(monkeypatch, capsys)
    assert code is ExitCode.NOT_STARTED
    assert err.startswith("No target is known in ")

    for name in ("embedded", "localstack"):
        replace(DEPLOYMENT, target=name).save()
    code, _, err = asked(monkeypatch, capsys)
    assert code is ExitCode.NOT_STARTED
    assert err.startswith("Several targets are known (embedded, localstack): choose with --target.")
