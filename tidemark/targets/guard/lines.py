"""The lines that a function logged, each with the invocation that logged it.

The emulator takes what arrives within some milliseconds of the answer. On a busy machine that is
too little: a late line then counts as the next invocation's, or is lost if there is none.
"""

from __future__ import annotations

import fcntl
import os
import select
import struct
import termios
import threading
import time
from typing import Any

from ministack.core.lambda_runtime import Worker

_WITHIN_S = 5.0
_LOOK_EVERY_S = 0.001
_CHUNK = 65_536

# Held while lines are on their way from a pipe to where they are taken from: who holds it, and
# finds the pipe empty, misses none.
_moving = threading.Lock()


def await_lines() -> None:
    """Let each invocation take, from now on and for good, just what its process has written."""
    Worker._read_stderr = _read  # noqa: SLF001 -- there is no public way
    Worker._drain_stderr_bounded = Worker._drain_stderr = _drain  # noqa: SLF001 -- likewise


def _read(worker: Worker) -> None:
    """Read what a process writes, until it ends: what nobody reads would block it."""
    pipe, lines = worker._proc.stderr, worker._stderr_queue  # noqa: SLF001 -- likewise
    readable = select.poll()
    readable.register(pipe, select.POLLIN)
    begun = b""
    while True:
        readable.poll()
        with _moving:
            chunk = os.read(pipe.fileno(), _CHUNK)
            *whole, begun = (begun + chunk).split(b"\n")
            for line in whole if chunk or not begun else [begun]:
                lines.put(line.decode(errors="replace"))
        if not chunk:
            return


def _drain(worker: Worker, *_: Any, **__: Any) -> str:
    """Take the lines of an invocation that has been answered, or whose process is gone."""
    reader, process = worker._stderr_thread, worker._proc  # noqa: SLF001 -- likewise
    lines = worker._stderr_queue  # noqa: SLF001 -- likewise
    if process is not None:
        # What was logged is in the pipe by the time of the answer.
        give_up = time.monotonic() + _WITHIN_S
        while _unread_bytes(process.stderr) and time.monotonic() < give_up:
            time.sleep(_LOOK_EVERY_S)
    elif reader is not None:
        reader.join(_WITHIN_S)
    return "\n".join(lines.get() for _ in range(lines.qsize()))


def _unread_bytes(pipe: Any) -> int:
    with _moving:
        unread = fcntl.ioctl(pipe, termios.FIONREAD, bytes(4))
    return int(struct.unpack("i", unread)[0])
