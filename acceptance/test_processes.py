from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from tidemark.errors import InterruptedByUserError, TidemarkError
from tidemark.host.processes import MARK, Children, is_alive, stop
from tidemark.host.undo import Journal
from tidemark.host.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# A leader and a child that does not go when asked, as a function worker might. What sleeps here
# waits to be stopped: a minute is for one that a failed test leaves behind.
STUBBORN = """
import signal, subprocess, sys, time
child = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    "print('up', flush=True); time.sleep(60)"
)
process = subprocess.Popen([sys.executable, "-c", child], stdout=subprocess.PIPE, text=True)
process.stdout.readline()
print(process.pid, flush=True)
time.sleep(60)
"""


@pytest.fixture
def leader() -> Iterator[tuple[int, psutil.Process]]:
    """A marked process that runs, and its child."""
    with subprocess.Popen(
        [sys.executable, "-c", STUBBORN],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, MARK: "it"},
    ) as process:
        assert process.stdout is not None
        child = psutil.Process(int(process.stdout.readline()))
        yield process.pid, child
        stop("it", grace_s=0)


def test_one_that_was_just_started_and_has_no_environment_yet_is_alive(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looks = iter([{}, {}, {MARK: "new"}])
    monkeypatch.setattr(
        psutil.Process, "environ", lambda _: next(looks, {MARK: "new"}), raising=True
    )
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        is_seen = is_alive(process.pid, "new")
        process.communicate(b"")

    assert is_seen


def test_a_marked_process_is_stopped_with_what_it_started(
    leader: tuple[int, psutil.Process],
) -> None:
    pid, child = leader
    assert is_alive(pid, "it")

    assert stop("it", grace_s=0.5) is True

    assert not is_alive(pid, "it")
    eventually(lambda: not child.is_running() or None, within_s=5, what="the child to be gone")
    assert stop("it") is False


def test_a_pid_that_another_process_has_by_now_is_not_alive(
    leader: tuple[int, psutil.Process],
) -> None:
    pid, _ = leader

    assert not is_alive(pid, "another")
    assert stop("another") is False
    assert is_alive(pid, "it")


def test_a_child_is_alive_and_stopped_from_its_first_moment_on() -> None:
    env = {**os.environ, MARK: "it"}
    for _ in range(100):  # the system takes a moment to show its environment, now and then
        with subprocess.Popen(  # it waits, so that it cannot have ended by then
            [sys.executable, "-c", "input()"],
            stdin=subprocess.PIPE,
            start_new_session=True,
            env=env,
        ) as child:
            try:
                assert is_alive(child.pid, "it")
            finally:
                child.kill()


def test_a_child_without_any_environment_is_nobodys() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, env={})
    try:
        assert not is_alive(child.pid, "it")
    finally:
        child.communicate(b"")


def test_a_zombie_is_not_alive() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", ""], start_new_session=True, env={**os.environ, MARK: "it"}
    )
    try:
        eventually(
            lambda: not is_alive(process.pid, "it") or None,
            within_s=10,
            what="the process to end unreaped",
        )
    finally:
        process.wait()


def test_a_command_returns_its_code_and_both_streams(tmp_path: Path) -> None:
    code = "import sys; print('out', flush=True); print('err', file=sys.stderr); sys.exit(3)"

    finished = Children().run(
        [sys.executable, "-c", code], env=os.environ, cwd=tmp_path, log=tmp_path / "a" / "log"
    )

    assert (finished.exit_code, finished.output) == (3, "out\nerr\n")
    assert (tmp_path / "a" / "log").read_text() == "out\nerr\n"


def test_a_program_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(TidemarkError, match="no-such-program cannot be started"):
        Children().run(["no-such-program"], env={}, cwd=tmp_path)


def test_stopping_ends_what_runs_and_starts_nothing_more(tmp_path: Path) -> None:
    children = Children()
    ends: list[BaseException] = []

    def run() -> None:
        code = "open('up', 'w').close(); import time; time.sleep(60)"
        try:
            children.run([sys.executable, "-c", code], env=os.environ, cwd=tmp_path)
        except InterruptedByUserError as error:
            ends.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    eventually(lambda: (tmp_path / "up").exists() or None, within_s=10, what="the child to run")

    children.stop()
    thread.join(timeout=10)

    assert len(ends) == 1
    with pytest.raises(InterruptedByUserError):
        children.run([sys.executable, "-c", ""], env=os.environ, cwd=tmp_path)


def test_children_do_not_get_the_terminals_ctrl_c(tmp_path: Path) -> None:
    code = "import os; print(os.getpgrp())"

    finished = Children().run([sys.executable, "-c", code], env=os.environ, cwd=tmp_path)

    assert int(finished.output) != os.getpgrp()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_ctrl_c_while_a_child_is_being_started_leaves_no_child(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    started: list[tuple[int, str]] = []

    class Interrupted(subprocess.Popen[str]):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            assert self.stdout is not None
            self.stdout.close()  # the caller never hears of it
            self.returncode = 0
            started.append((self.pid, kwargs["env"][MARK]))
            assert is_alive(*started[0])
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr("tidemark.host.processes.subprocess.Popen", Interrupted)
    with pytest.raises(KeyboardInterrupt):
        Children().run([sys.executable, "-c", STUBBORN], env={}, cwd=tmp_path)

    assert not is_alive(*started[0])


def test_ctrl_c_while_a_child_runs_stops_it(tmp_path: Path) -> None:
    marker = tmp_path / "pid"
    code = f"import os, time; open({str(marker)!r}, 'w').write(str(os.getpid())); time.sleep(60)"

    def interrupt() -> None:
        eventually(lambda: True if marker.exists() else None, within_s=10, what="the child")
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        Children(Journal(tmp_path)).run([sys.executable, "-c", code], env={}, cwd=tmp_path)
    thread.join()

    assert not psutil.pid_exists(int(marker.read_text()))
    assert Journal(tmp_path).entries() == []


VERB = """
import os, sys
from pathlib import Path
from tidemark.host.locking import locked
from tidemark.host.processes import Children
from tidemark.host.undo import Journal

state = Path(sys.argv[1])
child = "import os, time; print(os.getpid(), file=open('pid', 'w')); time.sleep(60)"
with locked(state):
    Children(Journal(state)).run([sys.executable, "-c", child], env=os.environ, cwd=state)
"""


def test_the_child_of_a_verb_that_was_killed_is_stopped_by_the_next_one(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    with subprocess.Popen([sys.executable, "-c", VERB, tmp_path]) as verb:
        eventually(lambda: (pid.exists() and pid.read_text()) or None, within_s=20, what="a child")
        child = psutil.Process(int(pid.read_text()))
        verb.kill()
    assert child.is_running()

    Journal(tmp_path).heal()

    eventually(lambda: not child.is_running() or None, within_s=5, what="the child to be gone")
    assert Journal(tmp_path).entries() == []
