"""The verb: one line each, the exit code, and nobody asked who is not on this machine."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tidemark.cli import doctor as verb
from tidemark.doctor import examination
from tidemark.doctor.examination import Examination
from tidemark.doctor.finding import Finding, State
from tidemark.errors import EndedError, ExitCode, NotStartedError

if TYPE_CHECKING:
    from collections.abc import Callable

FINE = Finding("Python", State.OK, "3.11")
SO_SO = Finding("LocalStack image", State.WARNING, "is not [here]", "pull it")
BROKEN = Finding("Node", State.PROBLEM, "does not start", "make install")


@pytest.fixture
def shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., str]:
    """Returns what the verb prints when these things are found."""

    def show(*findings: Finding, as_json: bool = False) -> str:
        found = Examination("embedded", "because.", findings)
        monkeypatch.setattr(verb, "examine", lambda *_, **__: found)
        verb.doctor(as_json=as_json)
        return capsys.readouterr().out

    return show


def test_each_finding_is_one_line_with_its_fix(shown: Callable[..., str]) -> None:
    assert shown(FINE, SO_SO).splitlines() == [
        "For the embedded target: because.",
        "ok       Python            3.11",
        "warning  LocalStack image  is not [here] -> pull it",
    ]


def test_a_problem_ends_with_70_and_a_warning_does_not(shown: Callable[..., str]) -> None:
    shown(FINE, SO_SO)

    with pytest.raises(EndedError) as ended:
        shown(FINE, SO_SO, BROKEN)

    assert ended.value.exit_code is ExitCode.FAILED


def test_the_json_is_one_object(shown: Callable[..., str]) -> None:
    said = json.loads(shown(FINE, SO_SO, as_json=True))

    assert (said["target"], said["why"], said["is_healthy"]) == ("embedded", "because.", True)
    assert said["findings"][1] == {
        "name": "LocalStack image",
        "state": "warning",
        "says": "is not [here]",
        "fix": "pull it",
    }


def test_an_unknown_target_is_refused() -> None:
    with pytest.raises(NotStartedError):
        examination.examine("moon", {}, with_aws=False)


def test_this_machine_is_examined_without_leaving_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    connected: list[Any] = []
    connect = socket.socket.connect

    def watched(self: socket.socket, address: Any) -> None:
        if self.family != socket.AF_UNIX and address[0] not in {"127.0.0.1", "::1"}:
            connected.append(address)
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", watched)
    environ = {"PATH": os.environ["PATH"], "TIDEMARK_STATE_DIR": str(tmp_path), "CI": "1"}

    found = examination.examine("auto", environ, with_aws=False)

    assert connected == []
    assert found.target == "embedded"
    assert found.is_healthy, found.findings
    names = {finding.name for finding in found.findings}
    assert {
        "Python",
        "extra [deploy]",
        "Node",
        "CDK CLI",
        "Docker",
        "loopback",
        "port 4566",
        "disk",
        "proxy",
        "AWS credentials",
        "state folder",
    } <= names
    assert "AWS account" not in names
    for finding in found.findings:
        assert (finding.fix is None) == (finding.state is State.OK)


def test_away_from_a_checkout_it_works_as_well(tmp_path: Path) -> None:
    finished = subprocess.run(
        [Path(sys.executable).parent / "tidemark", "doctor", "--json", "--target", "embedded"],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    said = json.loads(finished.stdout)
    states = {finding["name"]: finding["state"] for finding in said["findings"]}
    assert (finished.returncode, said["is_healthy"]) == (0, True)
    assert (states["checkout"], states["CDK CLI"]) == ("warning", "warning")
    assert not list(tmp_path.iterdir()), "an examination leaves nothing behind"
