"""Whether a load run sustained its rate, and if not, why."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Self

from tidemark.errors import ExitCode
from tidemark.load.capacity import Step
from tidemark.measures import slo

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tidemark.measures.contention import HotKey

BOUNDS: Mapping[str, float] = {
    **slo.DEFAULTS,
    "write_p99_ms": 500.0,
    "read_p99_ms": 500.0,
    "lag_p99_ms": 1000.0,
}
"""What a rate must meet to count as sustained, where nobody says others."""

_MOST_REFUSED = 0.01


class Limit(StrEnum):
    """What kept a run from its rate."""

    TARGET = "target"
    HOT_KEY = "hot key"
    GENERATOR = "generator"
    SHARED_CORES = "shared cores"
    CORRECTNESS = "correctness"


@dataclass(frozen=True)
class Tried:
    """A rate that was tried, and what came of it.

    Attributes:
        profile: What was sent.
        rate: Calls per second, as planned.
        run: The run.
        writes_per_s: How many writes were accepted per second.
        reads_per_s: How many reads were answered per second.
        measures: The measures of the run.
        limit: What kept it from its rate; None if nothing did.
        why: The same in a sentence; empty if nothing did.
        is_violated: Whether an invariant was.
    """

    profile: str
    rate: float
    run: str
    writes_per_s: float
    reads_per_s: float
    measures: Mapping[str, float]
    limit: Limit | None = None
    why: str = ""
    is_violated: bool = False

    @property
    def step(self) -> Step:
        """It as a step of a search."""
        return Step(self.rate, passed=self.limit is None)

    @classmethod
    def of_json(cls, document: Mapping[str, Any]) -> Self:
        """Read what `as_json` made.

        Raises:
            TypeError: If it is something else.
            ValueError: Likewise.
        """
        limit = document.get("limit")
        return cls(**{**document, "limit": None if limit is None else Limit(limit)})

    def as_json(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        return asdict(self)


def tried(
    profile: str,
    rate: float,
    *,
    run: str,
    exit_code: ExitCode,
    reason: str,
    figures: Mapping[str, Any],
    bounds: Mapping[str, float],
    hot: HotKey | None,
) -> Tried:
    """Judge a run.

    Args:
        profile: What was sent.
        rate: Calls per second, as planned.
        run: The run.
        exit_code: How it ended.
        reason: Why that is not 0; empty if it is.
        figures: Those of its report.
        bounds: What each measure may be.
        hot: The key with which most went wrong, if it was one.
    """
    measures = figures["measures"]
    limit, why = _limit(exit_code, reason, figures, bounds, hot)
    return Tried(
        profile=profile,
        rate=rate,
        run=run,
        writes_per_s=measures.get("writes_per_s", 0.0),
        reads_per_s=measures.get("reads_per_s", 0.0),
        measures=measures,
        limit=limit,
        why=why,
        is_violated=exit_code is ExitCode.VIOLATED,
    )


def _limit(
    exit_code: ExitCode,
    reason: str,
    figures: Mapping[str, Any],
    bounds: Mapping[str, float],
    hot: HotKey | None,
) -> tuple[Limit | None, str]:
    """Return what kept a run from its rate, and say why."""
    if exit_code is ExitCode.VIOLATED:
        return Limit.CORRECTNESS, reason
    missed = [*slo.missed(bounds, figures["measures"]), *_refused(figures)]
    if exit_code is not ExitCode.OK and not (missed and exit_code is ExitCode.SLO_MISSED):
        missed.insert(0, reason)
    if not missed:
        return None, ""
    if figures["generator"]["was_starved"]:
        return Limit.SHARED_CORES, (
            "others had the cores that the load generator needed, and where the target is one of "
            f"them, who was the limit cannot be told: {missed[0]}"
        )
    if figures["generator"]["was_limit"]:
        return Limit.GENERATOR, f"the load generator was the limit, not the target: {missed[0]}"
    if hot is not None:
        return Limit.HOT_KEY, f"{hot}; {missed[0]}"
    return Limit.TARGET, "; ".join(missed)


def _refused(figures: Mapping[str, Any]) -> list[str]:
    """Say it if too many calls were refused: a rate that is refused is not taken."""
    sides = (figures["writes"], figures["reads"])
    refused = sum(one["refused"] for one in sides)
    sent = sum(one[how] for one in sides for how in ("ok", "refused", "errors", "replayed"))
    share = refused / max(1, sent)
    if share <= _MOST_REFUSED:
        return []
    named = ", ".join(f"{name} {count}" for name, count in figures["refusals"].items())
    return [f"{share:.1%} of the calls were refused ({named}) and {_MOST_REFUSED:.0%} may be"]
