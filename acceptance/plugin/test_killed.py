"""A session that is killed leaves nothing that runs: it stops it itself, or the next one does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, Self

import pytest

from tidemark.errors import TidemarkError
from tidemark.host.killing import interrupted_by_kill
from tidemark.host.locking import locked
from tidemark.host.processes import MARK, is_alive, stop, undo
from tidemark.host.state import read_json
from tidemark.host.undo import Journal, undoer
from tidemark.host.waiting import eventually
from tidemark.testing import session

if TYPE_CHECKING:
    from collections.abc import Iterator

    from acceptance.plugin.sessions import Project

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
class Emulator:
    """The embedded target of a session."""

    pid: int
    mark: str

    @classmethod
    def of(cls, state: Path) -> Self:
        record = read_json(state / "embedded" / "process.json") or {}
        return cls(record["pid"], str(state / "embedded"))

    @property
    def is_alive(self) -> bool:
        return is_alive(self.pid, self.mark)


@dataclass(frozen=True)
class Waiting:
    """A session that waits, with an embedded target of its own."""

    process: subprocess.Popen[str]
    state: Path
    emulator: Emulator

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
        emulator = Emulator.of(state)
        assert emulator.is_alive
        yield Waiting(process, state, emulator)
        process.kill()
        stop(emulator.mark, grace_s=0)


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

    ended = project.run("def test_it(testbed): pass", *EMBEDDED)

    assert ended.exit_code == 0, ended.output
    assert "An earlier run was killed. The embedded target is stopped." in ended.output
    assert not waiting.emulator.is_alive
    assert not waiting.state.exists()


def test_a_session_that_still_runs_is_left_alone(waiting: Waiting, project: Project) -> None:
    ended = project.run("def test_it(testbed): pass", *EMBEDDED)

    assert "An earlier run" not in ended.output
    assert waiting.emulator.is_alive


@undoer
def note(path: str) -> str:
    """Undo nothing, and leave a file that says so."""
    Path(path).touch()
    return "It is undone."


@undoer
def fail(path: str) -> NoReturn:
    """Undo nothing, for a reason."""
    raise TidemarkError(f"{path} does not answer.")


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """The folder of a session that was killed, with some evidence and the rest."""
    state = tmp_path / "pytest" / "20261123T101010-1"
    with locked(state):
        (state / "failed" / "Tidemark").mkdir(parents=True)
        (state / "failed" / "Tidemark" / "target.log").touch()
        (state / "requests").mkdir()
        (state / "requests" / "link").symlink_to(tmp_path)
    return state


def test_what_a_session_began_is_undone_once_nobody_holds_its_folder(
    state: Path, tmp_path: Path
) -> None:
    Journal(state).begin("a thing", partial(note, path=str(tmp_path / "undone")))
    with locked(state):
        assert list(session.heal(tmp_path)) == []
    assert not (tmp_path / "undone").exists()

    assert list(session.heal(tmp_path)) == ["An earlier run was killed. It is undone."]

    assert (tmp_path / "undone").exists()
    assert [path.name for path in state.iterdir()] == ["failed"]
    assert list(session.heal(tmp_path)) == []


def test_what_cannot_be_undone_is_named_by_each_session_with_what_it_takes(
    state: Path, tmp_path: Path
) -> None:
    Journal(state).begin("a thing", partial(fail, path="It"))

    for _ in range(2):
        [said] = session.heal(tmp_path)
        assert said == (
            "An earlier run was killed. a thing is left (It does not answer); to remove it: "
            f"TIDEMARK_STATE_DIR={state} tidemark down"
        )
    assert (state / "requests").is_dir()


def test_what_a_killed_verb_left_is_undone_too(tmp_path: Path) -> None:
    Journal(tmp_path).begin("a thing", partial(note, path=str(tmp_path / "undone")))
    with locked(tmp_path):
        assert list(session.heal(tmp_path)) == []
        assert list(session.heal(tmp_path, is_held=True)) != []


def test_what_is_kept_stays_as_it_is(state: Path, tmp_path: Path) -> None:
    Journal(state).begin("a thing", partial(note, path=str(tmp_path / "undone")))
    Journal(state).keep()

    assert list(session.heal(tmp_path)) == []

    assert not (tmp_path / "undone").exists()
    assert (state / "requests").is_dir()


def test_an_interrupted_session_stops_its_processes_before_all_else(
    state: Path, tmp_path: Path
) -> None:
    journal = Journal(state)
    journal.begin("a thing", partial(note, path=str(tmp_path / "undone")))
    with subprocess.Popen(
        [sys.executable, "-c", "input()"],
        stdin=subprocess.PIPE,
        start_new_session=True,
        env={**os.environ, MARK: "it"},
    ) as process:
        journal.begin("a process", partial(undo, mark="it"))

        session.stop_processes(state)

        assert not is_alive(process.pid, "it")
    assert [one.what for one in journal.entries()] == ["a thing"]


def test_a_session_that_was_told_to_keep_is_left_alone(project: Project) -> None:
    first = project.run(
        "def test_it(testbed): testbed.target.start()", *EMBEDDED, "--tidemark-keep"
    )
    assert first.exit_code == 0, first.output
    assert "It is left running; to remove it: TIDEMARK_STATE_DIR=" in first.output
    [state] = (project.folder / "state" / "pytest").iterdir()
    emulator = Emulator.of(state)
    try:
        project.run("def test_it(testbed): pass", *EMBEDDED)

        assert emulator.is_alive
    finally:
        stop(emulator.mark, grace_s=0)


def test_signals_that_are_ignored_stay_so_and_others_are_as_before() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    terminating = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        with interrupted_by_kill():
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
            with pytest.raises(KeyboardInterrupt):
                signal.raise_signal(signal.SIGTERM)
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
