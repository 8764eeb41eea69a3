"""Ops made by hand."""

from __future__ import annotations

from tidemark.api.op import CLIENT_PROBLEM, Kind, Op, Outcome

MS = 1_000_000


def op(  # a short name, because tables of ops are read by people
    outcome: Outcome = Outcome.OK,
    *,
    kind: Kind = Kind.COMMAND,
    route: str = "POST /accounts",
    start_ms: float = 0,
    took_ms: float = 1,
    waited_ms: float = 0,
    problem: str | None = None,
    status: int | None = 202,
    replayed: bool = False,
) -> Op:
    start_ns = round(start_ms * MS)
    return Op(
        session="s",
        kind=kind,
        operation="any",
        route=route,
        intended_ns=start_ns - round(waited_ms * MS),
        start_ns=start_ns,
        end_ns=start_ns + round(took_ms * MS),
        outcome=outcome,
        status=status,
        replayed=replayed,
        problem_type=None if problem is None else f"{CLIENT_PROBLEM}{problem}",
    )
