"""A session that is killed leaves nothing that runs: it stops it itself, or the next one does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tidemark.host.processes import ProcessIdentity
from tidemark.host.state import read_json, write_json
from tidemark.host.waiting import eventually
from tidemark.testing import killed
from tidemark.testing.ending import interrupted_by_kill

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.testing.sessions import Project

# It starts the embedded target, and waits to be killed.
WAITING = """
import signal

def test_it(testbed):
    testbed.target.start()
    open("it-waits", "w").close()
    signal.pause()
"""
EMBEDDED = ["-s", "--tidemark-app", "true"]


@dataclass(frozen=True)
class Waiting:
    """A session that waits, with an embedded target of its own."""

    process: subprocess.Popen[str]
    state: Path
    emulator: ProcessIdentity

    def ended_by(self, number: signal.Signals) -> str:
        """Send a signal, and return what the session printed to its end."""
        self.process.send_signal(number)
        return self.process.communicate(timeout=60)[0]


@pytest.fixture(autouse=True)
def _as_on_a_terminal() -> Iterator[None]:
    """A child inherits what is ignored here, as under nohup, and would not heed it either."""
    numbers = (signal.SIGTERM, signal.SIGHUP)
    ignored = [one for one in numbers if signal.getsignal(one) is signal.SIG_IGN]
    for number in ignored:
        signal.signal(number, signal.SIG_DFL)
    yield
    for number in ignored:
        signal.signal(number, signal.SIG_IGN)


@pytest.fixture
def waiting(project: Project) -> Iterator[Waiting]:
    with project.started(WAITING, *EMBEDDED) as process:
        eventually(
            lambda: True if (project.folder / "it-waits").exists() else None,
            within_s=60,
            what="the session to start its target",
        )
        [state] = (project.folder / "state" / "pytest").iterdir()
        record = read_json(state / "embedded" / "process.json") or {}
        emulator = ProcessIdentity(record["pid"], record["started"])
        assert emulator.is_alive
        yield Waiting(process, state, emulator)
        process.kill()
        if emulator.is_alive:
            os.killpg(emulator.pid, signal.SIGKILL)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_session_that_can_still_do_it_removes_what_it_started(
    waiting: Waiting, number: signal.Signals
) -> None:
    printed = waiting.ended_by(number)

    assert waiting.process.returncode == pytest.ExitCode.INTERRUPTED, printed
    assert not waiting.emulator.is_alive
    assert not waiting.state.exists()


def test_the_next_session_removes_what_a_killed_one_left(
    waiting: Waiting, project: Project
) -> None:
    waiting.ended_by(signal.SIGKILL)
    assert waiting.emulator.is_alive

    session = project.run("def test_it(testbed): pass", *EMBEDDED)

    assert session.exit_code == 0, session.output
    assert "An earlier session was killed: its embedded target is stopped." in session.output
    assert not waiting.emulator.is_alive
    assert not (project.folder / "state").exists() or not list(
        (project.folder / "state").rglob("*.*")
    )


def test_a_session_that_still_runs_is_left_alone(waiting: Waiting, project: Project) -> None:
    session = project.run("def test_it(testbed): pass", *EMBEDDED)

    assert "An earlier session" not in session.output
    assert waiting.emulator.is_alive


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """The folder of a session whose process is gone, with some evidence and the rest."""
    state = tmp_path / "pytest" / "20261123T101010-1"
    killed.remember(state, "embedded")
    (state / "failed" / "Tidemark").mkdir(parents=True)
    (state / "requests").mkdir()
    return state


def gone(state: Path) -> None:
    """Have the session's process be gone, and another have its pid."""
    record = read_json(state / "session.json") or {}
    write_json(state / "session.json", {**record, "started": "0"})


def test_a_pid_that_another_process_has_by_now_is_no_session(state: Path) -> None:
    list(killed.cleared(state.parent))
    assert (state / "requests").is_dir()

    gone(state)
    list(killed.cleared(state.parent))

    assert [path.name for path in state.iterdir()] == ["failed"]


def test_children_of_a_killed_session_are_stopped(state: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, start_new_session=True
    ) as child:
        identity = ProcessIdentity.of(child.pid)
        assert identity is not None
        document = {"pid": identity.pid, "started": identity.started}
        write_json(state / killed.CHILDREN / f"{child.pid}.json", document)
        gone(state)

        list(killed.cleared(state.parent))

        assert not identity.is_alive


def test_a_session_that_was_told_to_keep_is_left_alone(project: Project) -> None:
    first = project.run(
        "def test_it(testbed): testbed.target.start()", *EMBEDDED, "--tidemark-keep"
    )
    assert first.exit_code == 0, first.output
    assert "It is left running; to remove it: TIDEMARK_STATE_DIR=" in first.output
    [state] = (project.folder / "state" / "pytest").iterdir()
    record = read_json(state / "embedded" / "process.json") or {}
    emulator = ProcessIdentity(record["pid"], record["started"])
    try:
        project.run("def test_it(testbed): pass", *EMBEDDED)

        assert emulator.is_alive
    finally:
        os.killpg(emulator.pid, signal.SIGKILL)


def test_signals_that_are_ignored_stay_so_and_others_are_as_before() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    terminating = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        with interrupted_by_kill():
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
            assert signal.getsignal(signal.SIGTERM) is signal.default_int_handler
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    finally:
        signal.signal(signal.SIGHUP, before)
        signal.signal(signal.SIGTERM, terminating)


def test_a_session_in_another_thread_than_the_main_one_handles_no_signals() -> None:
    seen: list[object] = []

    def run() -> None:
        with interrupted_by_kill():
            seen.append(signal.getsignal(signal.SIGTERM))

    before = signal.getsignal(signal.SIGTERM)
    thread = threading.Thread(target=run)
    thread.start()
    thread.join()

    assert seen == [before]
