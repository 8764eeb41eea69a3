"""Progress of what takes time: a live line on a terminal, one plain line per step elsewhere."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

stderr = Console(stderr=True, highlight=False, soft_wrap=True)


class Steps:
    """Shows the steps of a verb on standard error, several at once where they run so."""

    def __init__(self, console: Console = stderr) -> None:
        self._console = console
        self._lock = threading.Lock()
        self._live: Progress | None = None
        self._running = 0

    def say(self, line: str) -> None:
        """Print a line above the live ones."""
        self._console.print(line, markup=False)

    @contextmanager
    def step(self, what: str) -> Iterator[Callable[[str], None]]:
        """Show that something is being done, and how long it took once it is done.

        Yields:
            Shows on a live line how far it is.
        """
        started = time.monotonic()
        live = self._enter()
        task = live.add_task(what, total=None) if live is not None else None
        is_done = False

        def show(how_far: str) -> None:
            if live is not None and task is not None:
                live.update(task, description=f"{what}: {how_far}")

        try:
            yield show
            is_done = True
        finally:
            took_s = time.monotonic() - started
            if live is not None and task is not None:
                live.remove_task(task)
            self._leave()
            if is_done:
                self.say(f"  {what} ({took_s:.1f} s)")

    def _enter(self) -> Progress | None:
        with self._lock:
            self._running += 1
            if self._live is None and self._console.is_terminal:
                self._live = Progress(
                    SpinnerColumn(),
                    TextColumn("waiting until {task.description}"),
                    TimeElapsedColumn(),
                    console=self._console,
                    transient=True,
                )
                self._live.start()
            return self._live

    def _leave(self) -> None:
        with self._lock:
            self._running -= 1
            if self._running == 0 and self._live is not None:
                self._live.stop()
                self._live = None
