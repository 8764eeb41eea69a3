"""A view of the run while it goes on, on a terminal only."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from rich.console import Group
from rich.live import Live as Shown
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from rich.console import Console

    from loadtest.live import Live


def live_view(live: Live, run_time_s: float | None, console: Console) -> Shown:
    """Return a view of the last seconds of a run, from `start()` to `stop()`.

    Args:
        live: What it shows.
        run_time_s: How long the run will take, None if nobody knows.
        console: A console on a terminal.
    """
    started = time.monotonic()

    def view() -> Group:
        elapsed_s = time.monotonic() - started
        planned = "" if run_time_s is None else f" of {run_time_s:.0f}"
        table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
        for name, value, more in live.recent().rows():
            table.add_row(Text(name, "dim"), Text(value, justify="right"), Text(more))
        when = Text(f"{elapsed_s:.0f}{planned} s, the last seconds as they are seen now:")
        return Group(when, table)

    return Shown(get_renderable=view, console=console, refresh_per_second=2, transient=True)
