from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from tests.history.rows import rows
from tidemark.api.exchange import Answer
from tidemark.api.session import Writer
from tidemark.aws.clients import AwsClients
from tidemark.aws.connection import EMULATOR_CREDENTIALS, Connection
from tidemark.host.deployment import Deployment
from tidemark.testing.runs import SessionRuns, session_name
from tidemark.workloads import bank

if TYPE_CHECKING:
    from pathlib import Path

SESSION = "20261123T101112-abc123"
CLIENTS = AwsClients(Connection("us-east-1", "http://127.0.0.1:9", EMULATOR_CREDENTIALS))


def deployment(stack_name: str = "Tidemark") -> Deployment:
    return Deployment(
        target="embedded",
        endpoint="http://127.0.0.1:9",
        region="us-east-1",
        stack_name=stack_name,
        api_url="http://127.0.0.1:9/api",
        template_digest="0",
        outputs={},
    )


def made(runs: SessionRuns, test: str = "test", stack_name: str = "Tidemark") -> str:
    """The key of a command that a test sends."""
    with runs.client_of(
        deployment(stack_name), CLIENTS, lambda sending: sending, lambda _: Answer(500)
    ) as client:
        return str(client.for_session(test).run(bank.deposit("a", 5)).key)


def test_keys_begin_with_run_process_and_test_alike_in_each_process(tmp_path: Path) -> None:
    processes = [SessionRuns(tmp_path, SESSION, name, print) for name in ("gw0", "gw1")]
    runs = set()
    for process, name in zip(processes, ("gw0", "gw1"), strict=True):
        run, writer, test, _ = made(process, "t1-test").split(".")
        runs.add(run)
        assert (writer, test) == (name, "t1-test")
    (run,) = runs
    assert run.startswith("20261123T101112-")
    assert [one.name for one in tmp_path.iterdir()] == [run]


def test_each_stack_of_a_session_and_each_session_has_a_run_of_its_own(tmp_path: Path) -> None:
    session = SessionRuns(tmp_path, SESSION, "main", print)
    later = SessionRuns(tmp_path, "20261123T101112-def456", "main", print)
    keys = [made(session), made(session, stack_name="Tidemark-direct"), made(later)]
    assert len({key.partition(".")[0] for key in keys}) == 3
    assert len(session.paths) == 2


def test_a_run_outlives_its_session_with_every_call(tmp_path: Path) -> None:
    session = SessionRuns.of_session(tmp_path / "pytest" / SESSION, "main", print)
    for _ in range(2):
        made(session)
    (path,) = session.paths
    assert path.parent == tmp_path / "runs"
    session.close()
    ops = rows(path, "ops")
    assert [(one["seq"], one["purpose"]) for one in ops] == [(1, "test"), (2, "test")]
    about = json.loads((path / "run.json").read_text())
    assert (about["kind"], about["stack_name"]) == ("pytest", "Tidemark")


def test_what_is_removed_to_make_room_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tidemark.history.retention.clear", lambda _: "Removed a run.")
    said: list[str] = []
    session = SessionRuns(tmp_path, SESSION, "main", said.append)
    for _ in range(2):
        made(session)
    assert said == ["Removed a run."]


@pytest.mark.parametrize("test", ["test_it", "test_it[a/b c-é]", "test_" + "long" * 50])
def test_each_test_has_a_session_that_ids_and_keys_can_begin_with(test: str) -> None:
    names = [session_name(test), session_name(test)]
    assert len(set(names)) == 2
    for name in names:
        account_id = f"{Writer(SESSION, 'gw0').session(name).prefix}.account"
        assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._~-]{0,127}", account_id)
