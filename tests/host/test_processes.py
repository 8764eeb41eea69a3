from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tidemark.errors import InterruptedByUserError, TidemarkError
from tidemark.host.processes import Children, ProcessIdentity, stop_group
from tidemark.host.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# A leader and a child that does not go when asked, as a function worker might.
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


def identity_of(pid: int) -> ProcessIdentity:
    identity = ProcessIdentity.of(pid)
    assert identity is not None
    return identity


@pytest.fixture
def leader() -> Iterator[tuple[ProcessIdentity, ProcessIdentity]]:
    with subprocess.Popen(
        [sys.executable, "-c", STUBBORN], stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        assert process.stdout is not None
        child = int(process.stdout.readline())
        yield identity_of(process.pid), identity_of(child)
        stop_group(ProcessIdentity(process.pid, ""))
        process.kill()


def test_a_group_is_stopped_with_what_the_leader_started(
    leader: tuple[ProcessIdentity, ProcessIdentity],
) -> None:
    parent, child = leader

    assert stop_group(parent) is True

    assert not parent.is_alive
    eventually(lambda: not child.is_alive or None, within_s=5, what="the child to be gone")
    assert stop_group(parent) is False


def test_a_recycled_pid_is_not_mistaken_for_the_recorded_process(
    leader: tuple[ProcessIdentity, ProcessIdentity],
) -> None:
    parent, _ = leader
    earlier = replace(parent, started="1")

    assert not earlier.is_alive
    assert stop_group(earlier) is False
    assert parent.is_alive


def test_a_zombie_is_not_alive() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""], start_new_session=True)
    try:
        eventually(
            lambda: ProcessIdentity.of(process.pid) is None or None,
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
    started: list[ProcessIdentity] = []

    class Interrupted(subprocess.Popen[str]):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            started.append(identity_of(self.pid))
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr("tidemark.host.processes.subprocess.Popen", Interrupted)
    with pytest.raises(KeyboardInterrupt):
        Children().run([sys.executable, "-c", STUBBORN], env={}, cwd=tmp_path)

    assert [one.is_alive for one in started] == [False]


def test_ctrl_c_while_a_child_runs_stops_it(tmp_path: Path) -> None:
    marker = tmp_path / "pid"
    code = f"import os, time; open({str(marker)!r}, 'w').write(str(os.getpid())); time.sleep(60)"

    def interrupt() -> None:
        eventually(lambda: True if marker.exists() else None, within_s=10, what="the child")
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        Children().run([sys.executable, "-c", code], env={}, cwd=tmp_path)
    thread.join()

    assert ProcessIdentity.of(int(marker.read_text())) is None
