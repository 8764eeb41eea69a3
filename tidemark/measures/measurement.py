"""What a load run is measured by: its figures, every measure by its name, and its objectives."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from tidemark.measures import figures, noise, slo

if TYPE_CHECKING:
    from collections.abc import Mapping

    import duckdb

    from tidemark.history.folder import RunFolder
    from tidemark.measures.figures import Figures
    from tidemark.measures.lateness import Lateness
    from tidemark.measures.noise import Interval
    from tidemark.measures.slo import Objective

NEEDS = frozenset({*figures.NEEDS, *noise.NEEDS})
"""The tables that it is taken from."""


@dataclass(frozen=True)
class Measurement:
    """What the calls of a load run came to.

    Attributes:
        figures: Them, in numbers.
        measures: What an objective may bound, by name.
        objectives: What the run was to keep to.
        intervals: How far what two runs are compared by may be from what was measured.
    """

    figures: Figures
    measures: Mapping[str, float]
    objectives: tuple[Objective, ...]
    intervals: Mapping[str, Interval]

    @property
    def missed(self) -> list[str]:
        """A sentence for each objective that is not met."""
        return [str(one) for one in self.objectives if one.met is False]

    def as_json(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        return {
            **asdict(self.figures),
            "measures": dict(self.measures),
            "slo": [asdict(one) for one in self.objectives],
            "intervals": {name: asdict(one) for name, one in self.intervals.items()},
        }


def measure_calls(
    run: duckdb.DuckDBPyConnection, folder: RunFolder, lateness: Lateness | None
) -> Measurement:
    """Measure the calls of a load run.

    Args:
        run: A database with the tables of the run.
        folder: The run.
        lateness: How late its read side was, if that is known.
    """
    asked = folder.manifest["load"]
    found = figures.figures_of(run, asked["refusals"])
    measures = slo.measured(found, lateness)
    objectives = tuple(slo.objectives(asked["slo"], measures))
    return Measurement(found, measures, objectives, noise.intervals_of(run, asked["refusals"]))
