"""Where verbs print their tables."""

from __future__ import annotations

from rich.console import Console


def table_console(width: int = 160) -> Console:
    """A console on standard output; where it is no terminal, so many columns wide."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = width
    return console
