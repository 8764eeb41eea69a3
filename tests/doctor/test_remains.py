"""What the state folder remembers and is no longer true."""

from __future__ import annotations

import http.server
import os
import threading
from functools import partial
from typing import TYPE_CHECKING

import pytest

from tidemark.doctor import remains
from tidemark.doctor.finding import State
from tidemark.host import processes
from tidemark.host.deployment import Deployment
from tidemark.host.locking import locked
from tidemark.host.state import write_json
from tidemark.host.undo import Journal, undoer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tidemark.doctor.finding import Finding
    from tidemark.host.undo import Begun

# Linux gives no process such an id (its limit is 2^22), nor does macOS.
NOBODY = 2**22 + 1


@pytest.fixture
def ministack_port() -> Iterator[int]:
    """A port where something answers ministack's health check."""

    class Health(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"services": {}}')

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Health) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def _this_process_is_the_emulator(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "is_alive", lambda pid, _: pid == os.getpid())


def record_process(state: Path, port: int, pid: int | None = None) -> None:
    """Record this process, or one that is gone, as a running embedded target."""
    write_json(state / "embedded/process.json", {"pid": pid or os.getpid(), "port": port})
    write_json(state / "embedded/key.json", {"secret_access_key": "of this target"})


def deploy(state: Path, endpoint: str | None, target: str = "embedded") -> None:
    Deployment(
        target=target,
        endpoint=endpoint,
        region="us-east-1",
        stack_name="Tidemark",
        api_url="http://api",
        template_digest="0",
        outputs={},
    ).save(state)


def only(found: Iterator[Finding]) -> Finding:
    [finding] = found
    return finding


def test_a_folder_that_is_not_there_yet_is_well(tmp_path: Path) -> None:
    finding = remains.folder(tmp_path / "state")

    assert finding.state is State.OK
    assert "not there yet" in finding.says
    assert "not there yet" not in remains.folder(tmp_path).says
    assert [one.name for one in remains.examine(tmp_path / "state")] == ["state folder"]


def test_a_folder_that_cannot_be_written_is_a_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    assert remains.folder(tmp_path / "file").state is State.PROBLEM

    monkeypatch.setattr(os, "access", lambda *_: False)
    assert remains.folder(tmp_path / "state").state is State.PROBLEM


def test_a_target_that_answers_is_well(tmp_path: Path, ministack_port: int) -> None:
    record_process(tmp_path, ministack_port)

    finding = only(remains.running(tmp_path))

    assert finding.state is State.OK
    assert finding.says == f"answers at http://127.0.0.1:{ministack_port}"


def test_a_target_whose_key_is_gone_is_told_with_the_way_out(
    tmp_path: Path, ministack_port: int
) -> None:
    record_process(tmp_path, ministack_port)
    (tmp_path / "embedded/key.json").unlink()

    finding = only(remains.running(tmp_path))

    assert finding.state is State.WARNING
    assert finding.says.startswith("The key of the embedded target is gone or cannot be read")
    assert finding.fix == "`tidemark up` starts it anew, empty"


def test_the_record_of_a_dead_process_is_told(tmp_path: Path, ministack_port: int) -> None:
    record_process(tmp_path, ministack_port, pid=NOBODY)

    finding = only(remains.running(tmp_path))

    assert (finding.name, finding.state) == ("embedded target", State.WARNING)
    assert "tidemark down" in str(finding.fix)


def test_the_record_of_a_dead_container_is_told(tmp_path: Path) -> None:
    write_json(tmp_path / "localstack/container.json", {"project": "p", "port": 1})

    finding = only(remains.running(tmp_path))

    assert (finding.name, finding.state) == ("localstack target", State.WARNING)


def test_a_torn_record_of_a_deployment_is_told(tmp_path: Path) -> None:
    path = tmp_path / "deployments/embedded.Tidemark.json"
    path.parent.mkdir()
    path.write_text('{"target": ', encoding="utf-8")

    finding = only(remains.known(tmp_path))

    assert (finding.state, finding.fix) == (State.WARNING, f"delete {path}")


def test_a_deployment_where_nothing_answers_is_told(tmp_path: Path) -> None:
    deploy(tmp_path, "http://127.0.0.1:1")

    assert only(remains.known(tmp_path)).state is State.WARNING


def test_a_deployment_on_an_earlier_life_of_the_target_is_told(
    tmp_path: Path, ministack_port: int
) -> None:
    record_process(tmp_path, ministack_port)

    deploy(tmp_path, "http://127.0.0.1:1")
    assert only(remains.known(tmp_path)).state is State.WARNING

    deploy(tmp_path, f"http://127.0.0.1:{ministack_port}")
    assert only(remains.known(tmp_path)).state is State.OK


def test_a_deployment_of_a_target_that_is_no_more_is_told(tmp_path: Path) -> None:
    deploy(tmp_path, "http://127.0.0.1:1", target="moonbase")

    finding = only(remains.known(tmp_path))

    assert finding.state is State.WARNING
    assert "moonbase" in finding.says


@pytest.mark.parametrize("endpoint", [None, "http://10.0.0.7:4566", "https://emulator.example"])
def test_what_is_not_on_this_machine_is_not_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, endpoint: str | None
) -> None:
    def fail(*_: object) -> None:
        pytest.fail("the target was asked")

    deploy(tmp_path, endpoint, target="endpoint")
    monkeypatch.setattr("tidemark.doctor.remains.targets.create", fail)

    finding = only(remains.known(tmp_path))

    assert finding.state is State.OK
    assert "not asked" in finding.says


@undoer
def put_out(lamp: str) -> str:
    return f"{lamp} is out."


def begin(folder: Path) -> Begun:
    return Journal(folder).begin("The lamp", partial(put_out, lamp="The lamp"))


def test_what_a_killed_run_or_session_left_is_told_with_how_it_is_undone(tmp_path: Path) -> None:
    session = tmp_path / "pytest" / "20261123T093156-17"
    begun = [begin(tmp_path), begin(session)]

    found = list(remains.left(tmp_path))

    assert {one.state for one in found} == {State.WARNING}
    assert [(one.name, one.says) for one in found] == [("left behind", "The lamp")] * 2
    assert [one.fix for one in found] == [one.remedy for one in begun]
    assert str(session) in str(found[1].fix)


def test_what_is_meant_to_stay_or_belongs_to_who_is_at_work_is_not_left(tmp_path: Path) -> None:
    begin(tmp_path)
    with locked(tmp_path):
        assert list(remains.left(tmp_path)) == []
    Journal(tmp_path).keep()

    assert list(remains.left(tmp_path)) == []


def test_what_failed_sessions_left_is_counted(tmp_path: Path) -> None:
    for number in range(2):
        (tmp_path / "pytest" / f"2026112{number}T093156-17" / "failed").mkdir(parents=True)
    (tmp_path / "pytest" / "20261125T093156-17").mkdir()

    finding = only(remains.evidence(tmp_path))

    assert (finding.name, finding.state) == ("evidence", State.OK)
    assert finding.says.startswith("2 failed test sessions")
