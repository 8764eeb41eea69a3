"""What a function logs is logged of the invocation that logged it, on a busy machine too."""

from __future__ import annotations

import os
import queue
import threading
from types import SimpleNamespace
from typing import IO, TYPE_CHECKING

import pytest
from ministack.core.lambda_runtime import Worker

from tidemark.targets.guard import lines

if TYPE_CHECKING:
    from collections.abc import Iterator

_DEADLINE_S = 10.0


class _Busy(queue.Queue[str]):
    """Lines arrive far apart, as where another thread has the interpreter in between."""

    def __init__(self) -> None:
        super().__init__()
        self._next = threading.Event()

    def put(self, item: str, *_: object, **__: object) -> None:
        self._next.wait(0.02)
        super().put(item)


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Worker, IO[bytes]]]:
    """A worker of the emulator's, and where its process writes what it logs."""
    for name in ("_read_stderr", "_drain_stderr", "_drain_stderr_bounded"):
        monkeypatch.setattr(Worker, name, getattr(Worker, name))
    lines.await_lines()
    reading, writing = os.pipe()
    worker = Worker.__new__(Worker)
    worker._stderr_queue = _Busy()
    with os.fdopen(reading, "rb") as stderr, os.fdopen(writing, "wb", buffering=0) as process:
        worker._proc = SimpleNamespace(stderr=stderr)
        worker._stderr_thread = threading.Thread(target=worker._read_stderr)
        worker._stderr_thread.start()
        yield worker, process
        process.close()
        worker._stderr_thread.join(_DEADLINE_S)


def test_each_invocation_takes_all_lines_of_its_own(logged: tuple[Worker, IO[bytes]]) -> None:
    worker, process = logged
    process.write(b"accepted\nappended\nanswered\n")

    assert worker._drain_stderr_bounded() == "accepted\nappended\nanswered"
    process.write(b"again\n")
    assert worker._drain_stderr_bounded() == "again"


def test_an_invocation_that_logs_nothing_takes_nothing(
    logged: tuple[Worker, IO[bytes]],
) -> None:
    assert logged[0]._drain_stderr_bounded() == ""


def test_a_line_longer_than_a_pipe_is_one_line(logged: tuple[Worker, IO[bytes]]) -> None:
    worker, process = logged
    process.write(b"a" * 200_000 + b"\n")

    assert worker._drain_stderr_bounded() == "a" * 200_000


@pytest.mark.parametrize("drain", ["_drain_stderr", "_drain_stderr_bounded"])
def test_of_a_process_that_ended_all_is_taken(logged: tuple[Worker, IO[bytes]], drain: str) -> None:
    worker, process = logged
    process.write(b"accepted\nits last words")
    process.close()
    worker._proc = None

    assert getattr(worker, drain)() == "accepted\nits last words"


def test_a_process_that_never_started_logged_nothing(logged: tuple[Worker, IO[bytes]]) -> None:
    never = Worker("function", {}, b"")

    assert never._drain_stderr_bounded() == ""
    assert not logged[0]._drain_stderr_bounded()
