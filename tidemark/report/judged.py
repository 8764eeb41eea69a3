"""What the judge said of a run as blocks of a page: verdicts, counterexamples, timelines."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from tidemark.invariants.catalog import catalog
from tidemark.invariants.judge import Counterexample, Verdict
from tidemark.invariants.timeline import timeline_of
from tidemark.report.page import Note, Table
from tidemark.report.verdict import said_once

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import duckdb

_COLUMNS = ("what", "aggregate", "version", "event_id", "key", "expected", "found")


def verdicts(
    run: duckdb.DuckDBPyConnection, judged: Sequence[Mapping[str, Any]]
) -> list[Note | Table]:
    """Every invariant with its verdict; of one that is violated, what was found.

    Args:
        run: A database with the tables of the run.
        judged: The invariants of its `verdict.json`.
    """
    if not judged:
        return [Note("Nobody judged this run: `tidemark check` does.")]
    reasons = said_once((one["id"], one["reasons"]) for one in judged if one["reasons"])
    counts = Counter(one["verdict"] for one in judged)
    blocks: list[Note | Table] = [
        Table(
            ("", "invariant", "verdict", "seen"),
            [
                (one["id"], one["name"], one["verdict"], reasons.get(one["id"]) or _seen(one))
                for one in judged
            ],
            ", ".join(f"{count} {verdict}" for verdict, count in counts.most_common()),
            # Of a run in which all holds, other things are read first.
            is_open=not counts.keys() <= {Verdict.HOLDS, Verdict.NOT_EXERCISED},
        )
    ]
    for one in judged:
        if one["verdict"] == Verdict.VIOLATED:
            blocks += _violated(run, one)
    return blocks


def _seen(one: Mapping[str, Any]) -> str:
    return ", ".join(f"{each['seen']} {each['what']}" for each in one["evidence"])


def _violated(run: duckdb.DuckDBPyConnection, one: Mapping[str, Any]) -> list[Note | Table]:
    examples = one["counterexamples"]
    count = one["violations"]
    counted = f"{count} counterexample{'' if count == 1 else 's'}"
    if len(examples) < count:
        counted += f", of which the first {len(examples)} are"
    # A column in which nothing stands tells nothing.
    columns = [name for name in _COLUMNS if any(each[name] is not None for each in examples)]
    blocks: list[Note | Table] = [
        Table(
            [name.replace("_", " ").replace("aggregate", "account") for name in columns],
            [[_text(each[name]) for name in columns] for each in examples],
            f"{one['id']} {one['name']}: {counted}",
        )
    ]
    if one["id"] in catalog():
        reading = catalog()[one["id"]].reading
        blocks.append(Note(f"{reading[:1].upper()}{reading[1:]}"))
    first = Counterexample(**examples[0])
    timeline = timeline_of(run, first)
    if timeline.moments:
        rows = [each.cells for each in timeline.moments]
        title = f"{one['id']}: what touched {first.aggregate or first.key}"
        blocks.append(Table(("at (UTC)", "", "version", "what", ""), rows, title))
        blocks += [Note(timeline.note)] if timeline.note else []
    return blocks


def _text(value: object) -> str:
    return "" if value is None else str(value)
