"""The verb probe."""

import json
import os
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from tidemark import targets
from tidemark.aws.clients import AwsClients
from tidemark.aws.connection import Connection
from tidemark.cli import consent, known, tables
from tidemark.cli.options import AsJson, KnownStack, KnownTarget, Yes
from tidemark.deploy import status
from tidemark.errors import (
    EndedError,
    ExitCode,
    InterruptedByUserError,
    NotStartedError,
    TidemarkError,
)
from tidemark.host.deployment import Deployment
from tidemark.host.progress import stderr
from tidemark.probe import rendering
from tidemark.probe.difference import Difference
from tidemark.probe.footprint import what_is_made
from tidemark.probe.observation import Comparison
from tidemark.probe.result import Result
from tidemark.probe.row import Row
from tidemark.probe.rows import ROWS
from tidemark.probe.running import Run, ask
from tidemark.targets.base import Target
from tidemark.targets.emulators import emulator_at

_STDOUT = Path("-")
_WIDTH = len("not seen within 20 s")
_STYLES = {
    Comparison.SAME: "green",
    Comparison.DIFFERS: "yellow",
    Comparison.NOT_SEEN: "yellow",
    Comparison.NOT_PROBED: "dim",
    Comparison.FAILED: "red",
}

Names = Annotated[
    list[str] | None, typer.Argument(metavar="ROW", help="Rows by name; all by default.")
]
AsMarkdown = Annotated[
    Path | None,
    typer.Option(
        "--markdown", metavar="FILE", help="Write the result as Markdown; - is standard output."
    ),
]
Against = Annotated[
    Path | None,
    typer.Option(
        "--against",
        metavar="FILE",
        help="Compare with an earlier JSON result; exit 3 when a row says something else.",
    ),
]
Patient = Annotated[
    bool,
    typer.Option("--patient", help="Lift the bounds: wait as long as AWS itself may take."),
]


def probe(
    names: Names = None,
    *,
    as_json: AsJson = False,
    markdown: AsMarkdown = None,
    against: Against = None,
    patient: Patient = False,
    target: KnownTarget = None,
    stack_name: KnownStack = None,
    yes: Yes = False,
) -> None:
    """Measure what the target does not do like AWS.

    Each row asks one question and puts the answer beside what AWS documents.
    What it makes for that is removed again; a target that asks first shows it, and asks.
    """
    rows = _choose(names or [])
    _check_output(markdown, as_json=as_json)
    earlier = Result.load(against) if against else None
    if earlier and names:
        earlier = earlier.only(names)
    if target is not None and _makes_something(rows):
        consent.for_target(targets.class_of(target), is_given=yes)  # before anything is called
    deployment, its_target = known.choose(target, stack_name)
    connection = known.connect(its_target)
    _ask(rows, its_target, connection, is_given=yes)
    clients = AwsClients(connection)
    started = time.monotonic()
    target_name = _name_of(deployment)
    run = ask(
        rows,
        clients,
        deployment,
        what=f"the {target_name} target is probed",
        is_patient=patient,
    )
    duration_s = time.monotonic() - started
    try:
        known.connect(its_target)
    except TidemarkError as error:
        if not its_target.is_ours:  # what was on one of ours has ended with it
            for line in _name_leftovers(run):
                error.add_note(line)
        raise
    result = Result(
        target=target_name,
        date=datetime.now(UTC).date().isoformat(),
        versions=status.versions(deployment),
        duration_s=round(duration_s, 1),
        row_results=run.row_results,
    )
    difference = Difference.between(earlier, result) if earlier else None
    _show(result, difference, as_json=as_json, is_page=markdown == _STDOUT)
    for line in _name_leftovers(run):
        stderr.print(line, markup=False, soft_wrap=True)
    if markdown and markdown != _STDOUT:
        _write(result, markdown)
    if not run.is_complete:
        raise InterruptedByUserError(
            "Interrupted; not all that the probe had made is removed."
            if run.left_behind
            else "Interrupted; what the probe had made is removed."
        )
    has_failed = any(one.comparison is Comparison.FAILED for one in result.row_results)
    if run.left_behind or has_failed or (difference and difference.changed):
        raise EndedError(ExitCode.UNKNOWN)


def _choose(names: Sequence[str]) -> list[Row]:
    unknown = sorted(set(names) - {row.name for row in ROWS})
    if unknown:
        raise NotStartedError(
            f"There is no row {', '.join(unknown)}: `tidemark probe` without names asks them all."
        )
    return [row for row in ROWS if not names or row.name in names]


def _check_output(markdown: Path | None, *, as_json: bool) -> None:
    """Refuse a page that could not be written, before anything is asked for it."""
    if markdown is None:
        return
    if markdown == _STDOUT:
        if as_json:
            raise NotStartedError(
                "--json and --markdown - both want standard output: name a file for the page."
            )
        return
    is_there = markdown.exists()
    can_be = not markdown.is_dir() if is_there else markdown.parent.is_dir()
    if not (can_be and os.access(markdown if is_there else markdown.parent, os.W_OK)):
        raise NotStartedError(
            f"{markdown} cannot be written: choose a file in a folder that is there and yours."
        )


def _makes_something(rows: Sequence[Row]) -> bool:
    return any(row.makes for row in rows)


def _ask(rows: Sequence[Row], target: Target, connection: Connection, *, is_given: bool) -> None:
    """Ask before something is made on a target that asks first."""
    if not (target.asks_first and _makes_something(rows)):
        return
    place = f"account {connection.account or 'unknown'}, {connection.region}"
    consent.for_target(type(target), is_given=is_given)(
        [f"AWS {place}, as {target.identity}", "", *what_is_made(rows)],
        f"Probe {place}, with {rendering.count_of(rows)}?",
    )


def _name_leftovers(run: Run) -> Iterator[str]:
    """What could not be removed, a line each, and what to do about it."""
    for line in run.left_behind:
        yield f"Could not be removed: {line}"
    if run.left_behind:
        yield "Remove by hand what is named here and still there."


def _name_of(deployment: Deployment) -> str:
    """The target's name; that of the emulator, where an endpoint is known to be one."""
    if deployment.target == "endpoint" and deployment.endpoint:
        emulator = emulator_at(deployment.endpoint)
        return emulator.target if emulator else deployment.target
    return deployment.target


def _write(result: Result, path: Path) -> None:
    try:
        path.write_text(rendering.markdown(result), encoding="utf-8")
    except OSError as error:
        raise TidemarkError(
            f"{path} could not be written ({error.strerror}): the result is printed above."
        ) from error


def _show(result: Result, difference: Difference | None, *, as_json: bool, is_page: bool) -> None:
    if as_json:
        document = result.as_json()
        if difference is not None:
            document["against"] = difference.as_json()
        typer.echo(json.dumps(document, indent=2, ensure_ascii=False))
        return
    if is_page:
        typer.echo(rendering.markdown(result), nl=False)
        return
    for topic, row_results in rendering.by_topic(result):
        typer.secho(topic, bold=True)
        tables.show_rows(
            (
                Text(one.comparison_in_words.ljust(_WIDTH), _STYLES[one.comparison]),
                rendering.words(result.target, one),
            )
            for one in row_results
        )
    typer.echo(rendering.summary(result))
    if difference is not None:
        for line in rendering.changes(difference):
            typer.echo(line)
