"""The figures of a run as blocks of a page: the headline, calls, objectives, and freshness."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tidemark.measures.lateness import AGES_MS
from tidemark.report.page import NOTHING, Chart, Note, Table, Tile, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tidemark.report.page import Cell

_PERCENTILES = ("p50_ms", "p90_ms", "p95_ms", "p99_ms", "p99_9_ms", "p99_99_ms", "max_ms")


def headline(figures: Mapping[str, Any], lateness: Mapping[str, Any] | None) -> list[Tile]:
    """The numbers that are read first; what a run has none of is left out."""
    tiles = []
    for side in ("writes", "reads"):
        row = figures.get(side)
        if row and row["ok"]:
            tiles.append(Tile(f"{shown(row['per_s'])}/s", side, f"{row['ok']:,} done"))
            if row["latency"]:
                tiles.append(_spread(f"{side[:-1]} latency, p99", row["latency"]))
    if lateness and lateness["lag"]:
        tiles.append(_spread("projection lag, p99", lateness["lag"]))
    if lateness and lateness["visibility"]:
        tiles.append(_spread("time to visibility, p99", lateness["visibility"]))
    if figures:
        share = figures["measures"].get("error_share", 0.0)
        errors = figures["writes"]["errors"] + figures["reads"]["errors"]
        tiles.append(Tile(f"{share:.1%}", "errors", f"{errors:,} calls"))
    return tiles


def objectives(slo: Iterable[Mapping[str, Any]]) -> list[Table]:
    """Each objective, and what was measured."""
    words = {True: "met", False: "missed", None: "not measured"}
    rows = [(one["measure"], one["bound"], one["value"], words[one["met"]]) for one in slo]
    return [Table(("measure", "bound", "value", ""), rows)] if rows else []


def beware(figures: Mapping[str, Any]) -> list[Note]:
    """What a reader must know before any number."""
    if not figures or not figures["generator"]["was_limit"]:
        return []
    health = figures["generator"]
    spent = f"{health['spent']} of {health['seconds']} seconds of its processes were spent"
    if health["was_starved"]:
        said = (
            f"The generator was short of a core that others had: {spent}. Where the target is one "
            "of them, who of the two was the limit cannot be told from these rates and latencies: "
            "ask for less, or call from another machine."
        )
    else:
        said = (
            f"The generator, not the target, was the limit: {spent}. These rates and latencies say "
            "little about the target: use more processes, or machines."
        )
    return [Note(said, is_loud=True)]


def calls(figures: Mapping[str, Any]) -> list[Table]:
    """What the calls came to, operation by operation."""
    if not figures:
        return []
    rows = [*figures["operations"], figures["writes"], figures["reads"]]
    counted = ("ok", "refused", "errors", "per_s")
    blocks = [
        Table(
            ("operation", "done", "refused", "errors", "done/s"),
            [(_name(one), *(one[name] for name in counted)) for one in rows],
        )
    ]
    for key, title in (
        ("latency", "Latency from the intended start, in ms"),
        ("latency_from_start", "Latency from the actual start, in ms"),
    ):
        timed = [(_name(one), *_parts(one[key])) for one in rows if one.get(key)]
        if timed:
            blocks.append(Table(("operation", *_headings()), timed, title))
    blocks += [*_plan(figures), *_problems(figures), _generator(figures["generator"])]
    return blocks


def freshness(lateness: Mapping[str, Any] | None, target: str | None) -> list[Note | Table | Chart]:
    """How late the read side was, and how often a read showed it."""
    if lateness is None:
        return [Note("Not measured: the run was not exported, or its tables are not whole.")]
    if not lateness["events"]:
        return []
    spreads = [
        (name, *_parts(lateness[key]))
        for key, name in (("lag", "projection lag"), ("visibility", "time to visibility"))
        if lateness[key]
    ]
    blocks: list[Note | Table | Chart] = []
    if spreads:
        blocks.append(Table(("in ms", *_headings()), spreads))
    facts: list[tuple[Cell, ...]] = [
        ("events", lateness["events"]),
        ("of which the lag is: those that did not set the run up", lateness["lagging"]),
        ("not projected at the end", lateness["unprojected"]),
        ("writes that were polled for until a read saw them", lateness["sampled"]),
        ("acknowledged writes that no read saw", lateness["unread"]),
        ("ms from the last write until all was projected", lateness["converged_ms"]),
        ("ms by which a time between two processes may be wrong", lateness["clock_error_ms"]),
    ]
    blocks.append(Table(("of all events", ""), facts))
    stale = [
        (name, lateness[key]["reads"], lateness[key]["stale"], _share(lateness[key]))
        for key, name in (
            ("own_writes", "own writes not seen"),
            ("monotonic", "went back behind an earlier read"),
        )
    ]
    blocks.append(Table(("reads without a token", "reads", "stale", "share"), stale))
    if target not in {None, "aws"}:
        blocks.append(
            Note(f"On {target} every read is consistent: stale reads show the projection lag only.")
        )
    return [*blocks, *_curve(lateness["curve"], lateness["clock_error_ms"])]


def _curve(curve: Iterable[Mapping[str, Any]], error_ms: float) -> list[Chart]:
    """The points of the curve; none at an age that the clocks cannot tell."""
    points = [
        (
            at,
            f"over {AGES_MS[-1]} ms" if one["within_ms"] is None else f"{one['within_ms']} ms",
            one,
        )
        for at, one in enumerate(curve)
        if one["within_ms"] is None or one["within_ms"] >= error_ms
    ]
    if not any(one["reads"] for _, _, one in points):
        return []
    return [
        Chart(
            name="t-visibility",
            title="Fresh reads by age",
            unit="% of reads without a token",
            columns=("fresh, %", "reads", "fresh"),
            drawn=1,
            rows=[
                (
                    at,
                    100 * one["fresh"] / one["reads"] if one["reads"] else None,
                    one["reads"],
                    one["fresh"],
                )
                for at, _, one in points
            ],
            labels=[label for _, label, _ in points],
            told="How many reads saw the newest acknowledged version of their account, by how "
            "long ago it had been acknowledged.",
        )
    ]


def _plan(figures: Mapping[str, Any]) -> list[Table]:
    plan = figures["punctuality"]
    if plan is None:
        return []
    rows = [(plan["planned"], plan["late"], plan["unsent"])]
    return [Table(("planned calls", "began over 100 ms late", "never began"), rows, "The plan")]


def _problems(figures: Mapping[str, Any]) -> list[Table]:
    rows: list[tuple[Cell, ...]] = [
        (word, name, count)
        for word, key in (("refused, as it should be", "refusals"), ("error", "errors"))
        for name, count in figures[key].items()
    ]
    if again := figures["writes"]["replayed"]:
        rows.append(("done", "answered with an earlier answer", again))
    return [Table(("calls that", "because", ""), rows, "What else was answered")] if rows else []


def _generator(health: Mapping[str, Any]) -> Table:
    names = [name for name in health if not name.startswith("was_")]
    return Table(
        ("measure", ""),
        [(name.replace("_", " "), health[name]) for name in names],
        "How the load generator did",
        is_open=False,
    )


def _spread(name: str, spread: Mapping[str, float]) -> Tile:
    return Tile(f"{shown(spread['p99_ms'])} ms", name, f"p50 {shown(spread['p50_ms'])} ms")


def _headings() -> list[str]:
    return [one.removesuffix("_ms").replace("p99_", "p99.") for one in _PERCENTILES]


def _parts(spread: Mapping[str, float]) -> list[float | None]:
    return [spread.get(one) for one in _PERCENTILES]


def _name(row: Mapping[str, Any]) -> str:
    return str(row["name"]).replace("_", " ")


def _share(one: Mapping[str, int]) -> str:
    return f"{one['stale'] / one['reads']:.1%}" if one["reads"] else NOTHING
