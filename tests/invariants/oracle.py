"""A slow, obviously right judge in plain Python, over the same tables as the real one.

It is written from what the invariants mean, not from their SQL, and shares no code with them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.invariants import (
    oracle_commands,
    oracle_deliveries,
    oracle_history,
    oracle_reads,
    oracle_states,
)
from tidemark.invariants.judge import Verdict

if TYPE_CHECKING:
    from tests.invariants.recorded import Tables

ORACLES = {
    "I0": oracle_history.soundness,
    "I1": oracle_commands.durable_accept,
    "I2": oracle_states.nothing_lost,
    "I3": oracle_commands.no_phantom,
    "I4": oracle_states.exactly_once,
    "I5": oracle_states.order,
    "I6": oracle_states.convergence,
    "I7": oracle_states.atomic_projection,
    "I8": oracle_reads.true_reads,
    "I9": oracle_reads.monotonic_reads,
    "I10": oracle_commands.no_lost_update,
    "I11": oracle_commands.idempotent_retry,
    "I12": oracle_deliveries.poison_isolated,
    "I13": oracle_deliveries.conservation,
    "I15": oracle_deliveries.graceful_under_throttling,
    "I16": oracle_history.not_vacuous,
    "I17": oracle_states.head_equals_fold,
    "I18": oracle_states.rules_hold,
}


def verdicts(tables: Tables) -> dict[str, Verdict]:
    """What is to be said of every invariant of a run."""
    claimed = {row["invariant"] for row in tables["claims"]}
    return {one: _verdict(tables, one, is_claimed=one in claimed) for one in ORACLES}


def _verdict(tables: Tables, invariant: str, *, is_claimed: bool) -> Verdict:
    finding = ORACLES[invariant](tables)
    if finding.is_violated:
        return Verdict.VIOLATED
    if not finding.is_enough and not is_claimed:
        return Verdict.NOT_EXERCISED
    if not finding.is_enough or finding.is_beyond_judgement:
        return Verdict.UNKNOWN
    return Verdict.HOLDS
