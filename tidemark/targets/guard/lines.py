"""The lines that a function logged, each with the invocation that logged it.

The emulator gives a line 50 ms to arrive after the answer. On a busy machine that is too little:
the line then counts as the next invocation's, or is lost with the process if there is none.
"""

from __future__ import annotations

import fcntl
import struct
import termios
import time
from typing import Any

from ministack.core.lambda_runtime import Worker

_WITHIN_S = 5.0
_LOOK_EVERY_S = 0.001


def await_lines() -> None:
    """Let each invocation wait, from now on and for good, for what its process has written."""
    drain = Worker._drain_stderr_bounded  # noqa: SLF001 -- there is no public way

    def drain_all(worker: Worker, *arguments: Any, **named: Any) -> str:
        give_up = time.monotonic() + _WITHIN_S
        # What was logged is in the pipe by the time of the answer.
        while _unread_bytes(worker) and time.monotonic() < give_up:
            _pause()
        return str(drain(worker, *arguments, **named))

    Worker._drain_stderr_bounded = drain_all  # noqa: SLF001 -- likewise


def _unread_bytes(worker: Worker) -> int:
    process = worker._proc  # noqa: SLF001 -- likewise
    if process is None:
        return 0  # it failed, and its process is no more
    unread = fcntl.ioctl(process.stderr, termios.FIONREAD, bytes(4))
    return int(struct.unpack("i", unread)[0])


def _pause() -> None:
    time.sleep(_LOOK_EVERY_S)
