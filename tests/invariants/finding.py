"""What the oracle finds of an invariant, and how it looks rows up."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.invariants.bank import Row
    from tests.invariants.recorded import Tables

NS_PER_MS = 1_000_000
NUMBER = ("writer", "session", "seq")
DAY_MS = 24 * 60 * 60 * 1000


@dataclass(frozen=True)
class Finding:
    """What there is to say of an invariant.

    Attributes:
        is_violated: Whether anything is there that it forbids.
        is_enough: Whether so much was seen as it takes.
        is_beyond_judgement: Whether something of the run cannot be judged.
    """

    is_violated: bool
    is_enough: bool
    is_beyond_judgement: bool = False


def grouped(rows: Iterable[Row], *columns: str) -> dict[Any, list[Row]]:
    """Rows by their values in some columns; by the value itself where it is one column."""
    groups: dict[Any, list[Row]] = defaultdict(list)
    for row in rows:
        values = tuple(row[column] for column in columns)
        groups[values if len(columns) > 1 else values[0]].append(row)
    return groups


def has_twins(rows: Iterable[Row], *columns: str) -> bool:
    """Whether two rows are equal in some columns."""
    return any(len(group) > 1 for group in grouped(rows, *columns).values())


def commands(tables: Tables) -> list[Row]:
    return [op for op in tables["ops"] if op["kind"] == "command"]


def setting(tables: Tables, name: str) -> list[int]:
    """The bounds of a name: one, if the run is sound."""
    return [row["value"] for row in tables["settings"] if row["name"] == name]


def is_views_only(tables: Tables) -> bool:
    """Whether the read model is one view of each aggregate, and nothing else is exported."""
    return 1 in setting(tables, "views_only")


def killed_writers(tables: Tables) -> list[str]:
    return [row["writer"] for row in tables["writers"] if not row["closed"]]


def is_of_killed(tables: Tables, key: str) -> bool:
    """Whether an idempotency key belongs to a session whose recorder was killed."""
    return any(key.startswith(f"{writer}.") for writer in killed_writers(tables))


def clock_error_ns(tables: Tables) -> int:
    """By how much the clocks of two writers may differ at most."""
    return 2 * max((row["clock_error_ns"] for row in tables["writers"]), default=0)


def is_late(event: Row) -> bool:
    """Whether an event is not projected."""
    return event["in_outbox"] or event["projected_at_ms"] is None


def whole_accounts(tables: Tables) -> dict[str, list[Row]]:
    """The events of each account of which every event is projected."""
    logs = grouped(tables["events"], "aggregate")
    return {name: log for name, log in logs.items() if not any(map(is_late, log))}


def number_of(row: Row) -> tuple[Any, ...]:
    """Which op a row is, or belongs to."""
    return tuple(row[name] for name in NUMBER)


def op_of(tables: Tables, row: Row) -> list[Row]:
    """The op that a row of a read belongs to: one, if the run is sound."""
    number = number_of(row)
    return [op for op in tables["ops"] if number_of(op) == number]


def final(tables: Tables, name: str) -> list[Row]:
    """What was read once the run was quiet."""
    return [
        row for row in tables[name] if any(op["purpose"] == "final" for op in op_of(tables, row))
    ]
