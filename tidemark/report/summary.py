"""A run in short, as Markdown: for the page of a CI job."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from tidemark.errors import ExitCode
from tidemark.report.figures_shown import beware, calls, headline, objectives
from tidemark.report.page import Table, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tidemark.history.folder import RunFolder
    from tidemark.report.page import Cell

_KINDS = {"load": "Load run", "pytest": "Test session"}
_MARKS = {"violated": "❌", "unknown": "❔"}
# What Markdown or HTML could take for a sign of its own.
_SIGNS = re.compile(r"([\\`*_\[\]<>|&~#])")


def title(folder: RunFolder) -> str:
    """What a run was, in a few words."""
    what = _KINDS.get(str(folder.manifest.get("kind")), "Run")
    target = folder.manifest.get("target")
    return f"{what} on {target}" if target else f"{what} {folder.manifest['run']}"


def figures_in(judged: Mapping[str, Any]) -> dict[str, Any]:
    """The figures of a load run in its `verdict.json`; nothing where it has none."""
    figures = judged.get("figures") or {}
    return figures if "operations" in figures else {}


def ending(judged: Mapping[str, Any]) -> str:
    """How a run ended, in a sentence."""
    verdict = judged.get("verdict")
    for one in judged.get("invariants", ()):
        if one["verdict"] == verdict == "violated":
            return f"{one['id']} {one['name']}: {one['counterexamples'][0]['what']}."
    if judged.get("reason"):
        return str(judged["reason"])
    if verdict == "holds":
        return "Every invariant that this run exercised holds."
    for one in judged.get("invariants", ()):
        if one["verdict"] == verdict == "unknown":
            return f"{one['id']} {one['name']}: {one['reasons'][0]}."
    return ""


def markdown(folder: RunFolder, judged: Mapping[str, Any]) -> str:
    """The run in short.

    Args:
        folder: The run.
        judged: Its `verdict.json`.
    """
    return "\n".join(_lines(folder, judged)) + "\n"


def _lines(folder: RunFolder, judged: Mapping[str, Any]) -> Iterator[str]:
    verdict = judged.get("verdict") or "not judged"
    figures = figures_in(judged)
    mark = "✅" if judged.get("exit_code") == ExitCode.OK else _MARKS.get(verdict, "⚠️")
    yield f"## {mark} {plain(title(folder))}: {verdict}"
    yield ""
    yield plain(f"{ending(judged)} Run {folder.manifest['run']}.".strip())
    if tiles := headline(figures, judged.get("lateness")):
        yield ""
        yield from _table(Table([one.name for one in tiles], [[one.value for one in tiles]]), "**")
    for note in beware(figures):
        yield ""
        yield f"> **{plain(note.text)}**"
    for table in (*objectives(figures.get("slo", ())), *calls(figures)[:2]):
        yield ""
        yield from _table(table)
    if said := list(_verdicts(judged.get("invariants", ()))):
        yield ""
        yield from said


def _verdicts(judged: Any) -> Iterator[str]:
    holding = sum(one["verdict"] == "holds" for one in judged)
    if judged:
        yield f"{holding} invariants hold."
    for one in judged:
        if one["verdict"] == "violated":
            what = plain(one["counterexamples"][0]["what"])
            yield f"- **{one['id']} {one['name']} is violated** {one['violations']} times: {what}"
        elif one["verdict"] == "unknown":
            yield f"- {one['id']} {one['name']} is unknown: {plain('; '.join(one['reasons']))}"


def _table(table: Table, mark: str = "") -> Iterator[str]:
    if table.title:
        yield f"{table.title}:"
        yield ""
    yield f"| {' | '.join(table.headings)} |"
    numbers = table.rows[0] if table.rows else table.headings
    yield f"|{'|'.join(' --- ' if isinstance(one, str) else ' ---: ' for one in numbers)}|"
    for row in table.rows:
        yield f"| {' | '.join(f'{mark}{_cell(one)}{mark}' for one in row)} |"


def _cell(cell: Cell) -> str:
    return plain(cell) if isinstance(cell, str) else shown(cell)


def plain(text: str) -> str:
    """A text in which Markdown sees no signs of its own."""
    return _SIGNS.sub(r"\\\1", " ".join(str(text).split()))
