"""What is known of a run once it was judged and measured: what every report of it is taken from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tidemark.invariants.catalog import choose
from tidemark.invariants.judge import judge_tables
from tidemark.invariants.views import UnreadableError, connect, reading, torn
from tidemark.measures.measurement import NEEDS, measure_calls
from tidemark.report.lateness import measure

if TYPE_CHECKING:
    from collections.abc import Sequence

    import duckdb

    from tidemark.history.folder import RunFolder
    from tidemark.invariants.catalog import Invariant
    from tidemark.invariants.judge import Judgement
    from tidemark.measures.lateness import Lateness
    from tidemark.measures.measurement import Measurement


@dataclass(frozen=True)
class Assessment:
    """What is known of a run.

    Attributes:
        folder: The run.
        judgements: What the judge says of it; nothing if it was not asked.
        lateness: How late its read side was; None if that is not known.
        measurement: Of a load run, what its calls came to; None if they cannot be read.
        unread: What of its calls is not in there, because it cannot be read.
    """

    folder: RunFolder
    judgements: Sequence[Judgement] = ()
    lateness: Lateness | None = None
    measurement: Measurement | None = None
    unread: str | None = None


def assess(
    run: duckdb.DuckDBPyConnection,
    folder: RunFolder,
    invariants: Sequence[Invariant] | None = None,
) -> Assessment:
    """Judge a run and measure it.

    Args:
        run: A database with the tables of the run.
        folder: The run.
        invariants: What it is asked; all of them without it.
    """
    judgements = judge_tables(run, folder.gaps, invariants or choose(None))
    lateness = measure(run, folder)
    return Assessment(folder, judgements, lateness, *_measured(folder, lateness))


def count(folder: RunFolder) -> Assessment:
    """Measure the calls of a run alone, for it is not exported."""
    return Assessment(folder, (), None, *_measured(folder, None))


def _measured(
    folder: RunFolder, lateness: Lateness | None
) -> tuple[Measurement | None, str | None]:
    """What the calls of a load run came to, all that can be read of them; and what cannot be."""
    if "load" not in folder.manifest:
        return None, None
    try:
        return _of_files(folder.as_left(), lateness), None
    except UnreadableError as error:
        files = torn(folder.as_left(), NEEDS)
        if not files:
            return None, (
                f"its calls are not measured, for {error}: make room for temporary files, and "
                "judge it once more"
            )
    named = ", ".join(f"{one.relative_to(folder.path)}: {why}" for one, why in files.items())
    unread = f"a part of the run is torn, and its figures are without it ({named})"
    try:
        return _of_files(folder.as_left(without=files), lateness), unread
    except UnreadableError:
        return None, unread


def _of_files(left: RunFolder, lateness: Lateness | None) -> Measurement:
    with connect(left) as run, reading():
        for table in left.gaps.keys() & set(NEEDS):  # torn at its end: it was opened without it
            raise UnreadableError(left.gaps[table][0])
        return measure_calls(run, left, lateness)
