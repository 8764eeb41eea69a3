"""Runs whose calls take as long as a test says, spread over time as chance has it."""

from __future__ import annotations

import random
from functools import cache
from typing import TYPE_CHECKING

from tests.invariants.clean_runs import clean_run

if TYPE_CHECKING:
    from tests.invariants.recorded import Tables

MS = 1_000_000
_SEED_OF_THE_RUN = 5


@cache
def _run() -> Tables:
    return clean_run(_SEED_OF_THE_RUN, steps=150)


def run(
    seed: int, *, write_ms: float = 20, read_ms: float = 5, lag_ms: float = 50, hurry: float = 1
) -> Tables:
    """A sound run with other times.

    Args:
        seed: By which chance.
        write_ms: How long a write takes at least, and half as long again at most.
        read_ms: The same of a read.
        lag_ms: The same of an event's way to the read side.
        hurry: How many times as fast calls come.
    """
    draw = random.Random(seed)  # noqa: S311 -- draws, no secrets
    tables = dict(_run())
    begin_ns = min(row["start_ns"] for row in tables["ops"])
    ops = []
    for row in tables["ops"]:
        ms = write_ms if row["kind"] == "command" else read_ms
        start_ns = begin_ns + int((row["start_ns"] - begin_ns) / hurry)
        took_ns = int(ms * draw.uniform(1, 1.5) * MS)
        times = {"intended_ns": start_ns, "start_ns": start_ns, "end_ns": start_ns + took_ns}
        ops.append(row | times)
    events = [
        row | {"projected_at_ms": row["recorded_at_ms"] + int(lag_ms * draw.uniform(1, 1.5))}
        for row in tables["events"]
    ]
    return tables | {"ops": ops, "events": events}
