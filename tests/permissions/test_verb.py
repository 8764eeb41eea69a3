"""The verb: its output, its exit codes, and what it says where it cannot start."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tidemark.cli import program
from tidemark.errors import ExitCode
from tidemark.host.state import find_checkout
from tidemark.permissions.call_log import PATH, CallLog

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Run = Callable[..., tuple[ExitCode, str, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.setenv("TIDEMARK_STATE_DIR", str(tmp_path / "state"))

    def run(*arguments: str) -> tuple[ExitCode, str, str]:
        monkeypatch.setattr(sys, "argv", ["tidemark", "permissions", *arguments])
        code = program.run()
        return (code, *capsys.readouterr())

    return run


@pytest.fixture
def call_log() -> CallLog:
    checkout = find_checkout()
    assert checkout is not None
    return CallLog.read(checkout / PATH)


def test_the_committed_stack_passes_in_both_wirings(run: Run) -> None:
    code, stdout, _ = run()

    assert code is ExitCode.OK
    assert stdout.split()[:4] == ["who", "needs", "queued", "direct"]
    assert "dynamodb:BatchGetItem, UpdateItem" in stdout
    assert "g1#owner#*" in stdout
    assert "NO" not in stdout.split()


def test_json_is_one_object_with_a_verdict_per_wiring(run: Run) -> None:
    code, stdout, _ = run("--json")

    assert code is ExitCode.OK
    said = json.loads(stdout)
    assert said["verdict"] == "holds"
    assert list(said["wirings"]) == ["queued", "direct"]
    for proof in said["wirings"].values():
        assert proof["objections"] == []
        assert len(proof["rows"]) > 30
        assert all(row["is_covered"] for row in proof["rows"])
        assert {
            "who": "CommandHandler",
            "action": "dynamodb:PutItem",
            "resource": "CommandTable",
            "leading_key": "command#*",
            "why": "called",
            "is_covered": True,
        } in proof["rows"]


def test_what_is_wrong_is_said_with_its_wiring_and_ends_with_1(
    run: Run, call_log: CallLog, tmp_path: Path
) -> None:
    [call] = [one for one in call_log.calls["queued"] if one.resource == "Queue"]
    other = replace(call, action="sqs:SendMessage")
    changed = call_log.calls["queued"] - {call} | {other}
    CallLog({**call_log.calls, "queued": changed}).write(tmp_path / "calls.json")

    code, stdout, stderr = run("--calls", str(tmp_path / "calls.json"))

    assert code is ExitCode.VIOLATED
    assert "NO" in stdout.split()
    assert "denied: UpdateProcessor is denied sqs:SendMessage on Queue (called) (queued)" in (
        stdout
    )
    assert "unused: UpdateProcessor is granted sqs:ChangeMessageVisibility on Queue" in stdout
    assert stderr.splitlines()[-1] == "tidemark: an invariant is violated (exit 1)"

    code, stdout, _ = run("--json", "--calls", str(tmp_path / "calls.json"))
    said = json.loads(stdout)
    assert code is ExitCode.VIOLATED
    assert said["verdict"] == "violated"
    assert {one["kind"] for one in said["wirings"]["queued"]["objections"]} == {"denied", "unused"}
    assert said["wirings"]["direct"]["objections"] == []


def test_a_call_log_of_one_wiring_is_refused(run: Run, call_log: CallLog, tmp_path: Path) -> None:
    CallLog({"queued": call_log.calls["queued"]}).write(tmp_path / "calls.json")

    code, _, stderr = run("--calls", str(tmp_path / "calls.json"))

    assert code is ExitCode.NOT_STARTED
    assert "lacks wiring direct" in stderr


def test_an_absent_call_log_is_refused_with_how_to_write_it(run: Run, tmp_path: Path) -> None:
    code, _, stderr = run("--calls", str(tmp_path / "absent.json"))

    assert code is ExitCode.NOT_STARTED
    assert "python -m integration.recording" in stderr


def test_outside_a_checkout_it_is_refused(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    code, _, stderr = run()

    assert code is ExitCode.NOT_STARTED
    assert "`tidemark permissions` needs a checkout" in stderr
