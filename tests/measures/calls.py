"""A run's tables with calls that were made by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tidemark.history.tables import TABLES

if TYPE_CHECKING:
    from tests.invariants.bank import Row
    from tests.invariants.recorded import Tables

MS = 1_000_000


def call(  # a short name, because tables of calls are read by people
    outcome: str = "ok",
    *,
    kind: str = "command",
    operation: str = "deposit",
    start_ms: float = 0,
    took_ms: float = 1,
    waited_ms: float = 0,
    problem: str | None = None,
    status: int | None = 202,
    **others: Any,
) -> Row:
    """A row of `ops`."""
    start_ns = round(start_ms * MS)
    known = {
        "writer": "w1",
        "session": "c1",
        "seq": 1,
        "purpose": "load",
        "kind": kind,
        "operation": operation,
        "intended_ns": start_ns - round(waited_ms * MS),
        "start_ns": start_ns,
        "end_ns": start_ns + round(took_ms * MS),
        "outcome": outcome,
        "status": status,
        "replayed": False,
        "problem": problem,
    }
    return {one.name: None for one in TABLES["ops"].columns} | known | others


def second(  # likewise
    at_s: int = 1,
    *,
    cpu_ms: float = 100,
    lag_ms: float = 2,
    due: int | None = None,
    writer: str = "w1",
) -> Row:
    """A row of `generator`."""
    lag_ns = round(lag_ms * MS)
    return {
        "writer": writer,
        "at_ns": at_s * 1000 * MS,
        "span_ns": 1000 * MS,
        "cpu_ns": round(cpu_ms * MS),
        "loop_lag_p99_ns": lag_ns,
        "loop_lag_max_ns": 2 * lag_ns,
        "due": due,
    }


def run_of(*ops: Row, **others: list[Row]) -> Tables:
    """The tables of a run with these calls."""
    return {name: [] for name in TABLES} | {"ops": [*ops]} | others
