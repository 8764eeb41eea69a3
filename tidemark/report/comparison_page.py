"""Two runs compared, as a page of the same form as that of a run."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from tidemark.errors import ExitCode
from tidemark.invariants.judge import together
from tidemark.report.comparison import HEADINGS, value_of
from tidemark.report.page import Chart, Note, Page, Section, Table, Tile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tidemark.measures.comparison import Difference
    from tidemark.measures.noise import Interval
    from tidemark.report.comparison import Comparison

_TILES = 4
_SIDES = {"write_": "Latency of writes", "read_": "Latency of reads", "lag_": "Projection lag"}


def draw(compared: Comparison) -> Page:
    """The page of a comparison."""
    before, after = compared.before, compared.after
    return Page(
        title="Two runs compared",
        verdict=together((before.verdict, after.verdict)),
        banner=_banner(compared),
        is_well=compared.exit_code is ExitCode.OK,
        ending=compared.conclusion,
        facts=[
            ("before", f"{before.run} ({before.verdict})"),
            ("after", f"{after.run} ({after.verdict})"),
            *(
                (f"target {word}", side.about["target"])
                for word, side in (("before", before), ("after", after))
                if "target" in side.about
            ),
        ],
        tiles=_tiles(compared.differences),
        sections=[
            Section("Read this first", [Note(one, is_loud=True) for one in compared.notes()]),
            Section("Measures", _measures(compared)),
            Section("How long it took", _latencies(compared.differences)),
        ],
    )


def _banner(compared: Comparison) -> str:
    """What two runs were compared for, where both may be compared."""
    worse = sum(one.is_regression for one in compared.differences)
    if compared.exit_code is ExitCode.OK:
        return "no regression"
    if compared.exit_code is ExitCode.SLO_MISSED:
        return f"{worse} regression{'' if worse == 1 else 's'}"
    return ""


def _tiles(differences: Sequence[Difference]) -> list[Tile]:
    """The measures that changed most, beyond noise."""
    changed = [one for one in differences if one.is_beyond_noise and math.isfinite(one.change)]
    changed.sort(key=lambda one: -abs(one.change))
    return [
        Tile(f"{one.change:+.0%}", one.name, "regression" if one.is_regression else "beyond noise")
        for one in changed[:_TILES]
        if not one.is_share
    ]


def _measures(compared: Comparison) -> list[Note | Table]:
    if not compared.differences:
        return []
    rows = [
        (*row, *(_interval(one, side) for side in (one.before, one.after)))
        for row, one in zip(compared.rows(), compared.differences, strict=True)
    ]
    told = (
        "`Before again` and `after again` are where the same run, made once more, would have "
        "measured it 95 times of 100. Worse by more than that, and by the threshold, is a "
        "regression."
    )
    return [Note(told), Table((*HEADINGS, "before again", "after again"), rows)]


def _interval(one: Difference, side: Interval) -> str:
    return f"{value_of(one, side.low)}\N{EN DASH}{value_of(one, side.high)}"


def _latencies(differences: Sequence[Difference]) -> list[Chart]:
    charts = []
    for side, title in _SIDES.items():
        shown = [one for one in differences if one.name.startswith(side)]
        shown = [one for one in shown if one.name.endswith("_ms")]
        rows = [(at, one.before.value, one.after.value) for at, one in enumerate(shown)]
        labels = [one.name.removeprefix(side).removesuffix("_ms") for one in shown]
        if rows:
            columns = ("before", "after")
            charts.append(
                Chart(f"{side}latency", title, "ms", columns, rows, labels=labels, is_log=True)
            )
    return charts
