"""Service level objectives: bounds on the measures of a run.

Correctness is none of them: an invariant that is violated is no missed objective.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from tidemark.percentiles import Spread

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tidemark.measures.figures import Figures, Row
    from tidemark.measures.lateness import Lateness, Stale

_PARTS = tuple(one.name for one in fields(Spread))
_SPREADS = ("write", "read", "write_from_start", "read_from_start", "lag", "visibility")

MEASURES = (
    *("error_share", "late_share", "unsent_share", "stale_own_share", "went_back_share"),
    *("writes_per_s", "reads_per_s"),
    *(f"{side}_{part}" for side in _SPREADS for part in _PARTS),
    *("converged_ms", "queue_max", "outbox_max"),
    *("generator_cpu_share", "generator_loop_lag_p99_ms", "generator_loop_lag_max_ms"),
)
"""What an objective may bound; see the README of `loadtest`."""

DEFAULTS: Mapping[str, float] = {"error_share": 0.01, "unsent_share": 0.01}
"""The bounds that hold where nobody says others."""

CLOSED_DEFAULTS: Mapping[str, float] = {"error_share": 0.01}
"""The same of a closed loop, which has no plan."""


@dataclass(frozen=True, slots=True)
class Objective:
    """A bound, and what was measured.

    Attributes:
        measure: One of `MEASURES`.
        bound: The most it may be; of a rate, the least.
        value: What it is; None if the run has no value of it.
        met: Whether it keeps to the bound, None without a value.
    """

    measure: str
    bound: float
    value: float | None
    met: bool | None

    def __str__(self) -> str:
        """What it is and may be."""
        if self.value is None:
            return f"{self.measure} was not measured"
        may = "should be" if _is_rate(self.measure) else "may be"
        return (
            f"{self.measure} is {_shown(self.measure, self.value)} and {may} "
            f"{_shown(self.measure, self.bound)}"
        )


def measured(figures: Figures, lateness: Lateness | None) -> dict[str, float]:
    """Return the measures of a run; one that the run has no value of is left out."""
    plan, generator, backlog = figures.punctuality, figures.generator, figures.backlog
    found: dict[str, float | None] = {"error_share": figures.error_share}
    if plan is not None and plan.planned:
        found |= {
            "late_share": plan.late / plan.planned,
            "unsent_share": plan.unsent / plan.planned,
        }
    found |= _of_side("write", figures.writes) | _of_side("read", figures.reads)
    found |= {"queue_max": backlog.queue_max, "outbox_max": backlog.outbox_max}
    if generator.seconds:
        found |= {
            "generator_cpu_share": generator.cpu_share,
            "generator_loop_lag_p99_ms": generator.loop_lag_p99_ms,
            "generator_loop_lag_max_ms": generator.loop_lag_max_ms,
        }
    if lateness is not None:
        found |= _of_spread("lag", lateness.lag) | _of_spread("visibility", lateness.visibility)
        found |= {
            "stale_own_share": _share(lateness.own_writes),
            "went_back_share": _share(lateness.monotonic),
            "converged_ms": lateness.converged_ms,
        }
    return {name: value for name, value in found.items() if value is not None}


def objectives(bounds: Mapping[str, float], measures: Mapping[str, float]) -> list[Objective]:
    """Return every bound with what was measured."""
    found = []
    for name, bound in bounds.items():
        value = measures.get(name)
        met = None if value is None else value >= bound if _is_rate(name) else value <= bound
        found.append(Objective(name, bound, value, met))
    return found


def missed(bounds: Mapping[str, float], measures: Mapping[str, float]) -> list[str]:
    """Return a sentence for each measure that does not keep to its bound."""
    return [str(one) for one in objectives(bounds, measures) if one.met is False]


def _of_side(name: str, row: Row) -> dict[str, float | None]:
    return {
        f"{name}s_per_s": row.per_s,
        **_of_spread(name, row.latency),
        **_of_spread(f"{name}_from_start", row.latency_from_start),
    }


def _of_spread(name: str, spread: Spread | None) -> dict[str, float | None]:
    return {} if spread is None else {f"{name}_{part}": getattr(spread, part) for part in _PARTS}


def _share(one: Stale) -> float | None:
    return one.stale / one.reads if one.reads else None


def _is_rate(name: str) -> bool:
    return name.endswith("_per_s")


def _shown(name: str, value: float) -> str:
    if name.endswith("_share"):
        return f"{100 * value:.3g}%"  # 1.04% is more than 1%
    return f"{value:g} ms" if name.endswith("_ms") else f"{value:g}"
