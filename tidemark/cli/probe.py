"""The verb probe."""

import json
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from tidemark import status
from tidemark.cli import recorded
from tidemark.cli.options import RecordedStack, RecordedTarget
from tidemark.deployment import Deployment
from tidemark.errors import EndedError, InterruptedByUserError, RefusedError
from tidemark.exit_codes import ExitCode
from tidemark.probe import rendering
from tidemark.probe.asking import asked
from tidemark.probe.clients import SharedClients
from tidemark.probe.difference import Difference
from tidemark.probe.result import Result
from tidemark.probe.row import Row, Verdict
from tidemark.probe.rows import ROWS
from tidemark.progress import stderr
from tidemark.targets.emulators import emulator_at

_CALM_WIDTH = 160
_STDOUT = Path("-")

Names = Annotated[
    list[str] | None, typer.Argument(metavar="ROW", help="Rows by name; all by default.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as one JSON object.")]
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


def register(app: typer.Typer) -> None:
    """Add the verb to the program."""
    app.command()(probe)


def probe(
    names: Names = None,
    as_json: AsJson = False,  # noqa: FBT002 -- a flag of the command line
    markdown: AsMarkdown = None,
    against: Against = None,
    patient: Patient = False,  # noqa: FBT002 -- likewise
    target: RecordedTarget = None,
    stack_name: RecordedStack = None,
) -> None:
    """Measure what the target does not do like AWS.

    Each row asks one question and puts the answer beside what AWS documents.
    What it makes for that is removed again.
    """
    rows = _chosen(names or [])
    earlier = Result.load(against) if against else None
    if earlier and names:
        earlier = earlier.only(names)
    deployment, its_target = recorded.chosen(target, stack_name)
    clients = SharedClients(recorded.answering(its_target))
    started = time.monotonic()
    target_name = _name_of(deployment)
    run = asked(
        rows,
        clients,
        deployment,
        what=f"the {target_name} target is probed",
        is_patient=patient,
    )
    duration_s = time.monotonic() - started
    recorded.answering(its_target)
    result = Result(
        target=target_name,
        date=datetime.now(UTC).date().isoformat(),
        versions=status.versions(deployment),
        duration_s=round(duration_s, 1),
        findings=run.findings,
    )
    difference = Difference.between(earlier, result) if earlier else None
    _show(result, difference, as_json=as_json, markdown=markdown)
    for line in run.left_behind:
        stderr.print(f"Could not be removed: {line}", markup=False)
    if not run.is_complete:
        raise InterruptedByUserError("Interrupted; what the probe had made is removed.")
    has_failed = any(one.verdict is Verdict.FAILED for one in result.findings)
    if has_failed or (difference and difference.changed):
        raise EndedError(ExitCode.UNKNOWN)


def _chosen(names: Sequence[str]) -> list[Row]:
    unknown = sorted(set(names) - {row.name for row in ROWS})
    if unknown:
        raise RefusedError(
            f"There is no row {', '.join(unknown)}: `tidemark probe` without names asks them all."
        )
    return [row for row in ROWS if not names or row.name in names]


def _name_of(deployment: Deployment) -> str:
    """The target's name; that of the emulator, where an endpoint is known to be one."""
    if deployment.target == "endpoint" and deployment.endpoint:
        emulator = emulator_at(deployment.endpoint)
        return emulator.target if emulator else deployment.target
    return deployment.target


def _show(
    result: Result, difference: Difference | None, *, as_json: bool, markdown: Path | None
) -> None:
    if markdown and markdown != _STDOUT:
        markdown.write_text(rendering.markdown(result), encoding="utf-8")
    if as_json:
        document = result.as_json()
        if difference is not None:
            document["against"] = difference.as_json()
        typer.echo(json.dumps(document, indent=2, ensure_ascii=False))
        return
    if markdown == _STDOUT:
        typer.echo(rendering.markdown(result), nl=False)
        return
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = _CALM_WIDTH
    console.print(rendering.table(result))
    console.print(rendering.summary(result))
    if difference is not None:
        for line in rendering.changes(difference):
            console.print(line, markup=False, soft_wrap=True)
