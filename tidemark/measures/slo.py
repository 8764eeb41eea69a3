"""Service level objectives: bounds on the measures of a run.

Correctness is none of them: an invariant that is violated is no missed objective.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tidemark.measures.lag import Lag
    from tidemark.measures.summary import Summary
    from tidemark.percentiles import Spread

_SPREADS = ("write", "read", "lag")
_PARTS = ("p50_ms", "p95_ms", "p99_ms", "max_ms")
_SHARES = ("error_share", "late_share", "unsent_share")

MEASURES = (*_SHARES, *(f"{side}_{part}" for side in _SPREADS for part in _PARTS))
"""What an objective may bound: shares of the calls from 0 to 1, and latencies of writes and reads
from their intended start and the projection lag, in milliseconds."""

DEFAULTS: Mapping[str, float] = {"error_share": 0.01, "unsent_share": 0.01}
"""The bounds that hold where nobody says others."""


def measured(summary: Summary, lag: Lag | None) -> dict[str, float]:
    """Return the measures of a run; one that the run has no value of is left out."""
    plan = summary.punctuality
    figures = {"error_share": summary.error_share}
    if plan is not None and plan.planned:
        figures["late_share"] = plan.late / plan.planned
        figures["unsent_share"] = plan.unsent / plan.planned
    spreads: dict[str, Spread | None] = {
        "write": summary.writes.latency,
        "read": summary.reads.latency,
        "lag": lag.spread if lag is not None else None,
    }
    for side, spread in spreads.items():
        if spread is not None:
            figures |= {f"{side}_{part}": getattr(spread, part) for part in _PARTS}
    return figures


def missed(bounds: Mapping[str, float], figures: Mapping[str, float]) -> list[str]:
    """Return a sentence for each measure that is beyond its bound."""
    return [
        f"{name} is {_shown(name, figures[name])} and may be {_shown(name, most)}"
        for name, most in bounds.items()
        if name in figures and figures[name] > most
    ]


def _shown(name: str, value: float) -> str:
    return f"{value:.1%}" if name in _SHARES else f"{value:g} ms"
