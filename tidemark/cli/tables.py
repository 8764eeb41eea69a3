"""Where verbs print their tables: every cell is whole, however narrow the terminal is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_AS_WIDE_AS_IT_IS = 10_000


def show(drawn: Table) -> None:
    """Print a table, folded to the width of a terminal; to a file or a pipe as wide as it is."""
    console = Console(highlight=False)
    for column in drawn.columns:
        column.overflow = "fold"
    if console.is_terminal:
        console.print(drawn)
        return
    console.width = _AS_WIDE_AS_IT_IS
    with console.capture() as captured:
        console.print(drawn)
    console.print(
        "\n".join(line.rstrip() for line in captured.get().splitlines()),
        markup=False,
        soft_wrap=True,
    )


def show_rows(rows: Iterable[Sequence[str | Text]], *, right: int = 0) -> None:
    """Print rows of cells below each other, without headings.

    Args:
        rows: The cells, as many in each row. A string is taken as it stands, without markup.
        right: How many columns, from the left, are flushed right.
    """
    drawn = Table.grid(padding=(0, 2, 0, 0))
    for row in rows:
        while len(drawn.columns) < len(row):
            drawn.add_column(justify="right" if len(drawn.columns) < right else "left")
        drawn.add_row(*(Text(cell) if isinstance(cell, str) else cell for cell in row))
    show(drawn)


def with_headings(*headings: str, right: Sequence[str] = (), title: str | None = None) -> Table:
    """A table to be filled.

    Args:
        headings: The headings of its columns.
        right: Those of them that are over figures.
        title: What stands above it.
    """
    drawn = Table(
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        pad_edge=False,
        show_edge=False,
        title=title,
        title_justify="left",
        title_style="bold",
    )
    for heading in headings:
        drawn.add_column(heading, justify="right" if heading in right else "left")
    return drawn
