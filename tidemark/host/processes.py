"""Child processes, each marked, so that it and all that it started can be found and stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import psutil

from tidemark.errors import InterruptedByUserError, TidemarkError
from tidemark.host.undo import undoer
from tidemark.host.waiting import NotSeenError, eventually

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from tidemark.host.undo import Journal

MARK = "TIDEMARK_MARK"
"""The environment variable that holds a process's mark: unlike a pid, it is known beforehand."""

_GRACE_S = 3.0
_LOOK_EVERY_S = 0.25
_BEGUN_WITHIN_S = 0.2


def is_alive(pid: int, mark: str) -> bool:
    """Whether a process runs and has that mark: a pid alone may be another process by now."""
    return _mark_of(psutil.Process(pid)) == mark if psutil.pid_exists(pid) else False


def stop(mark: str, *, grace_s: float = _GRACE_S) -> bool:
    """Stop the processes of that mark and all in their groups; say whether there was any.

    They are asked first, and killed when they do not go within the grace.
    """
    found = [one for one in psutil.process_iter() if _mark_of(one) == mark]
    groups = {group for one in found if (group := _group_of(one)) is not None}
    _signal(groups, signal.SIGTERM)
    try:
        psutil.wait_procs(found, timeout=grace_s)
    finally:
        _signal(groups, signal.SIGKILL)  # a group without a member is no group any more
    return bool(found)


@undoer
def undo(mark: str) -> None:
    """Stop what a verb started that could not do it any more."""
    stop(mark)


def _mark_of(process: psutil.Process) -> str | None:
    try:
        return _environ_of(process).get(MARK)
    except psutil.Error:  # it is gone, a zombie, or somebody else's
        return None


def _environ_of(process: psutil.Process) -> dict[str, str]:
    """Its environment, which the system does not show of a child that it has only just begun."""

    def probe() -> dict[str, str] | None:
        environ = process.environ()
        is_begun = process.ppid() == os.getpid() and process.status() != psutil.STATUS_ZOMBIE
        return None if not environ and is_begun else environ

    try:
        return eventually(probe, within_s=_BEGUN_WITHIN_S, what="its environment")
    except NotSeenError:
        return {}  # it has none


def _group_of(process: psutil.Process) -> int | None:
    try:
        return os.getpgid(process.pid)
    except ProcessLookupError:
        return None


def _signal(groups: set[int], number: signal.Signals) -> None:
    for group in groups:
        try:
            os.killpg(group, number)
        except (ProcessLookupError, PermissionError):
            continue  # gone already; macOS says so with EPERM for a zombie


@dataclass(frozen=True, slots=True)
class Finished:
    """What a child process left: its exit code and what it printed, both streams in one."""

    exit_code: int
    output: str


class Children:
    """The child processes of one verb; all of them stop when the verb is interrupted.

    Args:
        journal: Knows of those that run, for the verb after one that was killed.
    """

    def __init__(self, journal: Journal | None = None) -> None:
        self._journal = journal
        self._lock = threading.Lock()
        self._running: set[str] = set()
        self._is_stopping = False

    def run(
        self,
        command: Sequence[str | Path],
        *,
        env: Mapping[str, str],
        cwd: Path,
        log: Path | None = None,
    ) -> Finished:
        """Run a command to its end and return what it printed.

        Args:
            command: The program and its arguments.
            env: Its whole environment.
            cwd: Where it runs.
            log: A file that keeps the output too.

        Raises:
            InterruptedByUserError: The verb is being stopped.
            TidemarkError: The program cannot be started.
        """
        with self._started(command, env=env, cwd=cwd) as process:
            output = _output_of(process)
        if log is not None:
            log.parent.mkdir(parents=True, exist_ok=True)
            log.write_text(output, encoding="utf-8")
        if self._is_stopping:
            raise InterruptedByUserError("Stopped.")
        return Finished(process.returncode, output)

    @contextmanager
    def _started(
        self, command: Sequence[str | Path], *, env: Mapping[str, str], cwd: Path
    ) -> Iterator[subprocess.Popen[str]]:
        mark, process, begun = uuid.uuid4().hex, None, None
        if self._journal is not None:
            begun = self._journal.begin(f"The process {command[0]}", partial(undo, mark=mark))
        try:
            with self._lock:
                if self._is_stopping:
                    raise InterruptedByUserError("Stopped.")
                self._running.add(mark)
                process = _spawn(command, env={**env, MARK: mark}, cwd=cwd)
            yield process
        finally:
            stop(mark)  # by its mark: Ctrl-C may come before there is a `process`
            self._running.discard(mark)
            if process is not None and process.stdout is not None:
                process.wait()
                process.stdout.close()
            if self._journal is not None and begun is not None:
                self._journal.forget(begun)

    def stop(self) -> None:
        """Stop all that run, and start none after that."""
        with self._lock:
            self._is_stopping = True
            running = list(self._running)
        for mark in running:
            stop(mark)


def _spawn(
    command: Sequence[str | Path], *, env: Mapping[str, str], cwd: Path
) -> subprocess.Popen[str]:
    try:
        return subprocess.Popen(
            [str(part) for part in command],
            env=env,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
    except OSError as error:
        raise TidemarkError(
            f"{command[0]} cannot be started ({error.strerror}): run `make up`, which installs "
            "what is missing."
        ) from error


def _output_of(process: subprocess.Popen[str]) -> str:
    """Wait for a child to end, and return what it printed."""
    while True:
        try:
            # In slices: a signal just before a call blocks is seen only when it returns.
            return process.communicate(timeout=_LOOK_EVERY_S)[0]
        except subprocess.TimeoutExpired:
            continue
