"""What a function logs is logged of the invocation that logged it, on a busy machine too."""

from __future__ import annotations

import os
import queue
from types import SimpleNamespace
from typing import TYPE_CHECKING

from ministack.core.lambda_runtime import Worker

from tidemark.targets.guard import lines

if TYPE_CHECKING:
    import pytest


def test_a_line_that_is_read_late_is_still_that_of_its_invocation(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reading, writing = os.pipe()
    worker = Worker.__new__(Worker)
    worker._stderr_queue = queue.Queue()
    os.write(writing, b"accepted\n")

    def read_late() -> None:
        worker._stderr_queue.put(stderr.readline().rstrip("\n"))

    monkeypatch.setattr(Worker, "_drain_stderr_bounded", Worker._drain_stderr_bounded)
    monkeypatch.setattr(lines, "_pause", read_late)
    with os.fdopen(reading) as stderr, os.fdopen(writing, "w"):
        worker._proc = SimpleNamespace(stderr=stderr)
        lines.await_lines()

        assert worker._drain_stderr_bounded() == "accepted"


def test_a_process_that_is_gone_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    worker = Worker.__new__(Worker)
    worker._stderr_queue = queue.Queue()
    worker._proc = None
    monkeypatch.setattr(Worker, "_drain_stderr_bounded", Worker._drain_stderr_bounded)
    lines.await_lines()

    assert worker._drain_stderr_bounded() == ""
