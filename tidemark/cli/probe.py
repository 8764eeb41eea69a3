"""The verb probe."""

import json
import time
import uuid
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Console

from tidemark import status
from tidemark.aws import Clients
from tidemark.cli import recorded
from tidemark.cli.options import RecordedStack, RecordedTarget
from tidemark.errors import EndedError, InterruptedByUserError
from tidemark.exit_codes import ExitCode
from tidemark.probe import rendering
from tidemark.probe.bench import PREFIX, Bench
from tidemark.probe.result import Result
from tidemark.probe.role import Role
from tidemark.probe.row import Verdict
from tidemark.probe.rows import ROWS
from tidemark.probe.running import Runner
from tidemark.progress import Steps
from tidemark.progress import stderr as said_aside

_WIDE = 160

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Patient = Annotated[
    bool, typer.Option("--patient", help="Wait as long as AWS itself may take, not seconds.")
]


def register(app: typer.Typer) -> None:
    """Add the verb to the program."""
    app.command()(probe)


def probe(
    as_json: AsJson = False,  # noqa: FBT002 -- a flag of the command line
    patient: Patient = False,  # noqa: FBT002 -- likewise
    target: RecordedTarget = None,
    stack_name: RecordedStack = None,
) -> None:
    """Measure what the target does not do like AWS."""
    deployment, its_target = recorded.chosen(target, stack_name)
    clients = Clients(recorded.answering(its_target))
    role = Role(clients, f"{PREFIX}-{uuid.uuid4().hex[:12]}", PREFIX)
    started = time.monotonic()
    with Steps().step(f"{len(ROWS)} rows are probed"):
        runner = Runner(
            lambda within_s: Bench(clients, deployment, role, within_s=within_s),
            is_patient=patient,
        )
        try:
            run = runner.run(ROWS)
        finally:
            left_behind = role.leftovers.remove()
    recorded.answering(its_target)
    result = Result(
        target=deployment.target,
        date=datetime.now(UTC).date().isoformat(),
        versions=status.versions(deployment),
        duration_s=round(time.monotonic() - started, 1),
        findings=run.findings,
    )
    if as_json:
        typer.echo(json.dumps(result.as_json(), indent=2))
    else:
        console = Console(highlight=False)
        if not console.is_terminal:
            console.width = _WIDE
        console.print(rendering.table(result))
        console.print(rendering.summary(result))
    for line in [*run.left_behind, *left_behind]:
        said_aside.print(f"Left behind: {line}", markup=False)
    if not run.is_complete:
        raise InterruptedByUserError("Interrupted; what the probe had made is removed.")
    if any(one.verdict is Verdict.FAILED for one in result.findings):
        raise EndedError(ExitCode.UNKNOWN)
