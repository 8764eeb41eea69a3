"""What a table of a run is made of."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a column holds."""

    TEXT = "text"
    INTEGER = "integer"
    FLAG = "flag"


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes:
        name: Its name.
        kind: What it holds.
        means: What it says.
        is_optional: Whether it may be empty.
    """

    name: str
    kind: Kind
    means: str
    is_optional: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """One table.

    Attributes:
        name: Its name, and that of its folder.
        row: What one row is.
        columns: Its columns, in order.
        aggregate: The column by which the rows of one account belong together, if there is one.
    """

    name: str
    row: str
    columns: tuple[Column, ...]
    aggregate: str | None = None


def text(name: str, means: str) -> Column:
    """A column of text."""
    return Column(name, Kind.TEXT, means)


def number(name: str, means: str) -> Column:
    """A column of integers."""
    return Column(name, Kind.INTEGER, means)


def flag(name: str, means: str) -> Column:
    """A column of booleans."""
    return Column(name, Kind.FLAG, means)


def perhaps(column: Column) -> Column:
    """The column, which may be empty."""
    return Column(column.name, column.kind, column.means, is_optional=True)
