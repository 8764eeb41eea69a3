"""A live line while the load runs, on a terminal only."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from rich.live import Live
from rich.text import Text

from tidemark.api.call import Kind

if TYPE_CHECKING:
    from rich.console import Console

    from loadtest.run import LoadRun


def live_line(run: LoadRun, run_time_s: float | None, console: Console) -> Live:
    """Return a line that shows the time and the calls so far, from `start()` to `stop()`.

    Args:
        run: The run it shows.
        run_time_s: How long the run will take, None if nobody knows.
        console: A console on a terminal.
    """
    started = time.monotonic()

    def line() -> Text:
        elapsed_s = time.monotonic() - started
        planned = "" if run_time_s is None else f" of {run_time_s:.0f}"
        writes, reads = run.calls[Kind.COMMAND], run.calls[Kind.QUERY]
        return Text(f"{elapsed_s:.0f}{planned} s · {writes} writes · {reads} reads")

    return Live(get_renderable=line, console=console, refresh_per_second=4, transient=True)
