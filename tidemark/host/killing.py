"""A `kill` that ends the program as Ctrl-C does, so that what it made is removed all the same."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_ENDING = (signal.SIGTERM, signal.SIGHUP)


@contextmanager
def interrupted_by_kill() -> Iterator[None]:
    """Have a `kill` or a closed terminal end the program as Ctrl-C does.

    A signal that is ignored or handled stays so.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may handle signals
        return
    ours = [number for number in _ENDING if signal.getsignal(number) is signal.SIG_DFL]
    for number in ours:
        signal.signal(number, signal.default_int_handler)
    try:
        yield
    finally:
        for number in ours:
            signal.signal(number, signal.SIG_DFL)
