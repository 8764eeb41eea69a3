"""How exactly a process of a load run wakes up when a call is due."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import MutableMapping


def wake_in_time(environ: MutableMapping[str, str]) -> None:
    """Have gevent, once it starts, wait as long as it means to, unless a way is chosen already.

    By epoll it waits for whole milliseconds: calls begin half of one late, and several at once.

    Args:
        environ: The environment that it starts in.
    """
    environ.setdefault("GEVENT_BACKEND", "select")
