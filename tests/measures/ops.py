"""Ops made by hand."""

from __future__ import annotations

from tidemark.api.call import Call, Kind
from tidemark.api.op import CLIENT_PROBLEM, Op, Outcome, Purpose

MS = 1_000_000


def op(  # a short name, because tables of ops are read by people
    outcome: Outcome = Outcome.OK,
    *,
    kind: Kind = Kind.COMMAND,
    operation: str = "deposit",
    start_ms: float = 0,
    took_ms: float = 1,
    waited_ms: float = 0,
    problem: str | None = None,
    status: int | None = 202,
    replayed: bool = False,
) -> Op:
    start_ns = round(start_ms * MS)
    method = "GET" if kind is Kind.QUERY else "POST"
    return Op(
        writer="w",
        session="s",
        sequence=1,
        purpose=Purpose.LOAD,
        call=Call(operation=operation, route=f"{method} /{operation}"),
        intended_ns=start_ns - round(waited_ms * MS),
        start_ns=start_ns,
        end_ns=start_ns + round(took_ms * MS),
        outcome=outcome,
        status=status,
        replayed=replayed,
        problem_type=None if problem is None else f"{CLIENT_PROBLEM}{problem}",
    )
