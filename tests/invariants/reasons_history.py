"""Why changes of claims, bounds, plans and faults may go unnoticed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.invariants.finding import NS_PER_MS
from tests.invariants.reason import Reason, always, of, values

if TYPE_CHECKING:
    from tests.invariants.mutations import Mutation
    from tests.invariants.recorded import Tables


def _lies_between(mutation: Mutation, tables: Tables) -> bool:
    """Whether something that was measured is within one of two bounds, and beyond the other."""
    low, high = values(mutation)
    return any(low < one <= high for one in _measured(tables, mutation.before["name"]))


def _measured(tables: Tables, bound: str) -> list[int]:
    """What of a run a bound is about, in its unit."""
    events = tables["events"]
    recorded = [event["recorded_at_ms"] for event in events]
    projected = [event["projected_at_ms"] for event in events]
    healed = [fault["end_ns"] // NS_PER_MS for fault in tables["faults"]]
    throttles = of(tables["faults"], fault="throttled")
    match bound:
        case "convergence_bound_ms":
            return [max(projected) - max([*recorded, *healed])]
        case "lag_bound_ms":
            return [late - early for early, late in zip(recorded, projected, strict=True)]
        case "recovery_ms":
            last_ms = max(fault["end_ns"] // NS_PER_MS for fault in throttles)
            return [at_ms - last_ms for at_ms in recorded]
    return [row["receive_count"] or 0 for row in tables["deliveries"]]


def _is_told_only(mutation: Mutation, _: Tables) -> bool:
    fault = mutation.before["fault"]
    return fault != "poison" or mutation.what != "message_id"


def _has_nothing_in_between(mutation: Mutation, tables: Tables) -> bool:
    """Whether nothing was recorded or projected between two times of a fault."""
    low, high = values(mutation)
    times = [
        event[name] * NS_PER_MS
        for event in tables["events"]
        for name in ("recorded_at_ms", "projected_at_ms")
    ]
    return not any(low <= time <= high for time in times)


def _strikes_enough(mutation: Mutation, tables: Tables) -> bool:
    assert mutation.after is not None
    planned = of(tables["planned_faults"], fault=mutation.before["fault"])
    return all(mutation.after["fired"] >= one["times"] for one in planned)


def _plans_less(mutation: Mutation, _: Tables) -> bool:
    after = mutation.after
    return after is None or after["times"] < mutation.before["times"]


REASONS = (
    Reason(
        "claims", ("drop",),
        "an invariant that is not claimed is judged all the same where enough was seen", always,
    ),
    Reason(
        "settings", ("value",), "nothing that was measured lies between the two bounds",
        lambda mutation, tables: not _lies_between(mutation, tables),
    ),
    Reason(
        "planned_faults", ("drop", "times"), "who plans less has it, too", _plans_less,
    ),
    Reason(
        "faults", ("fired",), "it struck as often as was planned, or more often", _strikes_enough,
    ),
    Reason(
        "faults", ("start_ns", "end_ns"),
        "nothing was recorded or projected between the two times", _has_nothing_in_between,
    ),
    Reason(
        "faults", ("message_id", "event_id", "aggregate"),
        "poison is known by its message; what else a fault concerned is told to the reader",
        _is_told_only,
    ),
)  # fmt: skip
