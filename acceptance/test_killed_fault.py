"""A session that is killed while a fault is on leaves it on, and the next run takes it away."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from acceptance.test_failed_session import session
from tidemark.aws.clients import AwsClients
from tidemark.aws.connection import variables
from tidemark.host.deployment import known

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from acceptance.program import Program

KILLED = """
import os, signal
from tidemark.faults.publishing import lost_publishes

def test_it(testbed, aws, deployment):
    with lost_publishes(testbed.journal, aws, deployment, None):
        os.kill(os.getpid(), signal.SIGKILL)
"""
BROKEN_AGAIN = """
from tidemark.faults.publishing import lost_publishes

def test_it(testbed, aws, deployment):
    with lost_publishes(testbed.journal, aws, deployment, None):
        pass
"""


def test_the_next_session_on_a_given_stack_puts_right_what_a_killed_one_broke(
    up: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIDEMARK_STATE_DIR", str(up.state))  # where the key is
    [deployment] = known(up.state)
    connection = up.embedded.find()
    assert connection is not None
    functions = AwsClients(connection).functions
    for name, value in variables(connection).items():
        monkeypatch.setenv(name, value)
    given = ["--tidemark-endpoint", str(deployment.endpoint), "--tidemark-stack", "Tidemark"]

    def topic() -> str:
        name = deployment.outputs["CommandHandlerName"]
        configured = functions.get_function_configuration(FunctionName=name)
        return configured["Environment"]["Variables"]["TOPIC_ARN"]

    killed = session(tmp_path, KILLED, *given)
    assert killed.returncode == -signal.SIGKILL, killed.stdout
    assert topic() == f"{deployment.outputs['TopicArn']}-gone"

    ended = session(tmp_path, BROKEN_AGAIN, *given)

    assert ended.returncode == 0, ended.stdout
    assert "An earlier run was killed. TOPIC_ARN of the function" in ended.stdout + ended.stderr
    assert topic() == deployment.outputs["TopicArn"]
    assert not list((tmp_path / "state").rglob("undo/*"))
