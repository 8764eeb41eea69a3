"""What the recorded ops of a load run come to."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tidemark.api.call import Kind
from tidemark.api.op import Op, Outcome
from tidemark.percentiles import Spread

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


@dataclass(frozen=True)
class Punctuality:
    """How far the callers kept to the plan.

    Attributes:
        planned: How many arrivals there were until the end.
        late: How many of them began more than 100 ms after they were intended, as every caller
            had a call under way.
        unsent: How many never began.
    """

    planned: int
    late: int
    unsent: int


@dataclass(frozen=True)
class Row:
    """The ops of one operation, or of one side.

    Attributes:
        name: The operation, or the side.
        ok: How many were done.
        refused: How many the system refused as it should; see `is_refusal`.
        errors: How many failed otherwise, or are unknown.
        per_s: How many were done per second of the run.
        latency: Of every op that got an answer, refusals and errors included.
    """

    name: str
    ok: int
    refused: int
    errors: int
    per_s: float
    latency: Spread | None

    @property
    def sent(self) -> int:
        """How many there were."""
        return self.ok + self.refused + self.errors


@dataclass(frozen=True)
class Summary:
    """The ops of a run in numbers.

    Attributes:
        duration_s: From the start of the first op to the end of the last.
        operations: One row each, writes first.
        writes: All writes.
        reads: All reads.
        refusals: How many were refused, by problem.
        errors: How many failed otherwise, by outcome and problem.
        replayed: How many writes were answered with an earlier answer.
        punctuality: How far the plan was kept to; None of a closed loop.
    """

    duration_s: float
    operations: Sequence[Row]
    writes: Row
    reads: Row
    refusals: Mapping[str, int]
    errors: Mapping[str, int]
    replayed: int
    punctuality: Punctuality | None = None

    @property
    def error_share(self) -> float:
        """How many of all ops were errors, from 0 to 1."""
        sides = (self.writes, self.reads)
        total = sum(side.sent for side in sides)
        return sum(side.errors for side in sides) / total if total else 0.0


def summarise(ops: Sequence[Op], refusals: frozenset[str]) -> Summary:
    """Count and measure the ops of a run.

    Args:
        ops: Every op of the run, in any order.
        refusals: The problems by which the system refuses as it should under this workload.
    """
    duration_s = 0.0
    if ops:
        duration_s = (max(op.end_ns for op in ops) - min(op.start_ns for op in ops)) / 1e9
    by_operation: dict[tuple[Kind, str], list[Op]] = {}
    for op in ops:
        by_operation.setdefault((op.kind, op.operation), []).append(op)
    return Summary(
        duration_s=duration_s,
        operations=[
            _row(name, by_operation[kind, name], duration_s, refusals)
            for kind, name in sorted(by_operation)
        ],
        writes=_side("writes", Kind.COMMAND, ops, duration_s, refusals),
        reads=_side("reads", Kind.QUERY, ops, duration_s, refusals),
        refusals=_counted(op.problem or "" for op in ops if is_refusal(op, refusals)),
        errors=_counted(f"{op.outcome} {op.problem}" for op in ops if is_error(op, refusals)),
        replayed=sum(op.replayed for op in ops),
    )


def is_refusal(op: Op, refusals: frozenset[str]) -> bool:
    """Tell whether the system refused an op as it should, such as a withdrawal of too much."""
    return op.outcome is Outcome.FAIL and op.problem in refusals


def is_error(op: Op, refusals: frozenset[str]) -> bool:
    """Tell whether an op was neither done nor refused as it should be."""
    return op.outcome is not Outcome.OK and not is_refusal(op, refusals)


def _side(
    name: str, kind: Kind, ops: Sequence[Op], duration_s: float, refusals: frozenset[str]
) -> Row:
    return _row(name, [op for op in ops if op.kind is kind], duration_s, refusals)


def _row(name: str, ops: Sequence[Op], duration_s: float, refusals: frozenset[str]) -> Row:
    ok = sum(op.outcome is Outcome.OK for op in ops)
    return Row(
        name=name,
        ok=ok,
        refused=sum(is_refusal(op, refusals) for op in ops),
        errors=sum(is_error(op, refusals) for op in ops),
        per_s=ok / duration_s if duration_s else 0.0,
        latency=Spread.of(op.latency_ms for op in ops if op.status is not None),
    )


def _counted(names: Iterable[str]) -> dict[str, int]:
    return dict(Counter(names).most_common())
