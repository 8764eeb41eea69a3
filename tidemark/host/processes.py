"""Child processes: each in its own process group, so that all of it can be stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tidemark.errors import InterruptedByUserError, TidemarkError
from tidemark.host.state import read_json, write_json
from tidemark.host.waiting import NotSeenError, eventually

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_GRACE_S = 10.0
_LOOK_EVERY_S = 0.25


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    """A process by its pid and start time: a pid alone may be another process by now."""

    pid: int
    started: str

    @classmethod
    def of(cls, pid: int) -> ProcessIdentity | None:
        """The identity of a living process; ``None`` when there is none, or only a zombie."""
        started = _start_time(pid)
        return None if started is None else cls(pid, started)

    @classmethod
    def recorded_in(cls, document: Mapping[str, object] | None) -> ProcessIdentity | None:
        """The identity that a record holds; ``None`` when it is torn, or none."""
        known = document or {}
        try:
            return cls(int(str(known["pid"])), str(known["started"]))
        except (KeyError, ValueError):
            return None

    @property
    def is_alive(self) -> bool:
        """Whether that very process still runs."""
        return ProcessIdentity.of(self.pid) == self


def _start_time(pid: int) -> str | None:
    stat = Path("/proc") / str(pid) / "stat"
    if Path("/proc/self/stat").exists():
        try:
            # The command may hold blanks and parentheses; the fields begin after the last one.
            fields = stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        except OSError:
            return None
        return None if fields[0] in {"Z", "X"} else fields[19]
    shown = subprocess.run(
        ["ps", "-o", "stat=,lstart=", "-p", str(pid)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "LC_ALL": "C"},
    ).stdout.split(maxsplit=1)
    return None if len(shown) < 2 or shown[0].startswith("Z") else shown[1].strip()


def stop_group(identity: ProcessIdentity, *, grace_s: float = _GRACE_S) -> bool:
    """Stop a process that leads its group, and the group with it; say whether it was alive.

    It is asked first, and killed when it does not go within the grace.
    """
    if not identity.is_alive:
        return False
    _signal_group(identity.pid, signal.SIGTERM)
    with suppress(NotSeenError):  # it is killed below
        eventually(
            lambda: True if not identity.is_alive else None,
            within_s=grace_s,
            what=f"process {identity.pid} to stop",
        )
    # What the leader left behind goes too; without leftovers there is no such group.
    _signal_group(identity.pid, signal.SIGKILL)
    return True


def _signal_group(pid: int, number: signal.Signals) -> None:
    try:
        os.killpg(pid, number)
    except (ProcessLookupError, PermissionError):
        return  # gone already; macOS says so with EPERM for a zombie


@dataclass(frozen=True, slots=True)
class Finished:
    """What a child process left: its exit code and what it printed, both streams in one."""

    exit_code: int
    output: str


class Children:
    """The child processes of one verb; all of them stop when the verb is interrupted.

    Args:
        memory: A folder that knows of those that run, for the verb after one that was killed.
    """

    def __init__(self, memory: Path | None = None) -> None:
        self._memory = memory
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[str]] = set()
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
        process = None
        try:
            with _signals_deferred(), self._lock:
                process = self._spawned(command, env=env, cwd=cwd)
                self._remember(process)
            yield process
        finally:
            if process is not None:
                with _signals_deferred():
                    _stop(process)
                    process.wait()
                    if process.stdout is not None:
                        process.stdout.close()
                    with self._lock:
                        self._running.discard(process)
                    if self._memory is not None:
                        self._record(process).unlink(missing_ok=True)

    def _spawned(
        self, command: Sequence[str | Path], *, env: Mapping[str, str], cwd: Path
    ) -> subprocess.Popen[str]:
        if self._is_stopping:
            raise InterruptedByUserError("Stopped.")
        try:
            process = subprocess.Popen(
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
                f"{command[0]} cannot be started ({error.strerror}): run `make up`, which "
                "installs what is missing."
            ) from error
        self._running.add(process)
        return process

    def _remember(self, process: subprocess.Popen[str]) -> None:
        identity = ProcessIdentity.of(process.pid)
        if self._memory is not None and identity is not None:
            document = {"pid": identity.pid, "started": identity.started}
            write_json(self._record(process), document)

    def _record(self, process: subprocess.Popen[str]) -> Path:
        return (self._memory or Path()) / f"{process.pid}.json"

    def stop(self) -> None:
        """Stop all that run, and start none after that."""
        with self._lock:
            self._is_stopping = True
            running = list(self._running)
        for process in running:
            _stop(process)


def stop_forgotten(memory: Path) -> None:
    """Stop the children of a verb that was killed before it could stop them."""
    for record in memory.glob("*.json"):
        identity = ProcessIdentity.recorded_in(read_json(record))
        if identity is not None:  # else it is torn: the verb was killed while writing
            stop_group(identity, grace_s=3.0)
        record.unlink(missing_ok=True)


def _output_of(process: subprocess.Popen[str]) -> str:
    """Wait for a child to end, and return what it printed."""
    while True:
        try:
            # In slices: a signal just before a call blocks is seen only when it returns.
            return process.communicate(timeout=_LOOK_EVERY_S)[0]
        except subprocess.TimeoutExpired:
            continue


def _stop(process: subprocess.Popen[str]) -> None:
    """Stop a child that still runs, and what it started."""
    # Once it has ended, its pid may be another process.
    identity = ProcessIdentity.of(process.pid) if process.poll() is None else None
    if identity is not None:
        stop_group(identity, grace_s=3.0)


@contextmanager
def _signals_deferred() -> Iterator[None]:
    """Hold back Ctrl-C, so that no child is started, or half stopped, without being known."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread is ever interrupted
        return
    held: list[int] = []
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, lambda number, _: held.append(number)) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
        for caught in held:
            signal.raise_signal(caught)
