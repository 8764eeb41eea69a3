"""Judging a run on the command line: the table of verdicts, counterexamples, and a timeline."""

import json
from collections.abc import Sequence
from pathlib import Path

import typer

from tidemark.cli import tables
from tidemark.errors import EndedError, NotStartedError
from tidemark.history import runs
from tidemark.history.folder import RunFolder
from tidemark.host.state import state_dir
from tidemark.invariants import catalog
from tidemark.invariants.judge import EXIT_CODES, Judgement, Verdict, verdict_of
from tidemark.invariants.timeline import Timeline, timeline_of
from tidemark.invariants.views import connect
from tidemark.report import lateness as latenesses
from tidemark.report import verdict as documents
from tidemark.report.assessment import assess

_UNSEEN = {Verdict.UNKNOWN, Verdict.NOT_EXERCISED}


def check(name: str | None, *, only: str | None, junit: Path | None, as_json: bool) -> None:
    """Judge a run and print what is known of it.

    Args:
        name: The run's id or folder; the newest without it.
        only: The invariants to judge; all without it.
        junit: A file for the verdict as JUnit XML.
        as_json: Whether to print one JSON object.

    Raises:
        EndedError: The run is violated or unknown.
        NotStartedError: There is no such run, or no such invariant.
    """
    chosen = catalog.choose(only)
    opened = RunFolder.open(runs.find(state_dir(), name))
    if junit is not None:
        _see_that_it_can_be_written(junit)
    with connect(opened) as database:
        assessment = assess(database, opened, chosen)
        judgements = assessment.judgements
        if junit is not None:
            junit.write_text(documents.junit(opened, judgements), encoding="utf-8")
        if as_json:
            typer.echo(json.dumps(documents.document(assessment), indent=2))
        else:
            _show(judgements)
            typer.echo()
            for line in latenesses.describe(assessment.lateness, opened.manifest.get("target")):
                typer.echo(line)
            for one in judgements:
                if one.counterexamples:
                    _show_counterexamples(one, timeline_of(database, one.counterexamples[0]))
    verdict = verdict_of(judgements)
    typer.echo(f"{opened.manifest['run']}: {verdict}", err=as_json)
    if verdict is not Verdict.HOLDS:
        raise EndedError(EXIT_CODES[verdict])


def explain(identifier: str) -> None:
    """Print what an invariant means, and an example of what it forbids.

    Raises:
        NotStartedError: There is none of that id.
    """
    for one in catalog.choose(identifier):
        typer.echo(f"{one.id}: {one.name}\n\n{one.says}\n")
        typer.echo(f"evidence  {one.evidence}")
        typer.echo(f"reads     {', '.join(one.needs)}")
        typer.echo(f"reading   {one.reading}")
        typer.echo(f"example   {one.example}\n")
        typer.echo(
            "Its counterexamples are the rows of\n\n" + "\n\nand of\n\n".join(one.violations)
        )


def _see_that_it_can_be_written(file: Path) -> None:
    """So that nobody waits for a judge whose verdict cannot be kept."""
    try:
        file.open("a", encoding="utf-8").close()
    except OSError as error:
        raise NotStartedError(
            f"{file} cannot be written ({error.strerror}): name a file of a folder that is there."
        ) from error


def _show(judgements: Sequence[Judgement]) -> None:
    drawn = tables.with_headings("invariant", "", "verdict", "seen")
    unseen = [one for one in judgements if one.verdict in _UNSEEN]
    reasons = documents.said_once((one.invariant.id, one.reasons) for one in unseen)
    for one in judgements:
        seen = ", ".join(f"{each.seen} {each.what}" for each in one.evidence)
        why = reasons.get(one.invariant.id, seen)
        drawn.add_row(one.invariant.id, one.invariant.name, one.verdict.value, why)
    tables.show(drawn)


def _show_counterexamples(one: Judgement, timeline: Timeline) -> None:
    counted = f"{one.count} counterexample{'' if one.count == 1 else 's'}"
    shown = len(one.counterexamples)
    if shown < one.count:
        counted += f", of which the first {shown} are"
    typer.echo(f"\n{one.invariant.id} {one.invariant.name}: {counted}")
    for example in one.counterexamples:
        named = {
            "account": example.aggregate,
            "version": example.version,
            "event": example.event_id,
            "key": example.key,
            "expected": example.expected,
            "found": example.found,
        }
        about = ", ".join(f"{name} {value}" for name, value in named.items() if value is not None)
        typer.echo(f"  {example.what}: {about}" if about else f"  {example.what}")
    if timeline.moments:
        first = one.counterexamples[0]
        typer.echo(f"\n  What touched {first.aggregate or first.key}:")
        rows = [each.cells for each in timeline.moments]
        tables.show_rows([(f"  {at}", *others) for at, *others in rows])
        if timeline.note:
            typer.echo(f"  {timeline.note}")
