"""A `kill` that ends the program as Ctrl-C does, so that what it made is removed all the same."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_USUAL = (signal.SIG_DFL, signal.default_int_handler)


@contextmanager
def interrupted_by_kill(child: subprocess.Popen[bytes] | None = None) -> Iterator[None]:
    """Have a `kill` or a closed terminal end the program as Ctrl-C does.

    A signal that is ignored or handled stays so.

    Args:
        child: Whom all three interrupt first: who waits for a child is only told of them when
            the child has had a quarter of a second to end by itself.
    """

    def interrupt(*_: object) -> None:
        if child is not None:
            child.send_signal(signal.SIGINT)
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may handle signals
        return
    before = {number: signal.getsignal(number) for number in _ENDING}
    ours = {number: one for number, one in before.items() if one in _USUAL}
    for number in ours:
        signal.signal(number, interrupt)
    try:
        yield
    finally:
        for number, one in ours.items():
            signal.signal(number, one)
