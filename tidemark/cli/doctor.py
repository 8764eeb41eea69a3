"""The verb doctor."""

import json
import os
from dataclasses import asdict
from typing import Annotated

import typer
from rich.text import Text

from tidemark.cli import tables
from tidemark.cli.options import AsJson, TargetToStart
from tidemark.doctor.examination import Examination, examine
from tidemark.doctor.finding import Finding, State
from tidemark.errors import EndedError, ExitCode
from tidemark.targets.choice import AUTO

WithAws = Annotated[
    bool, typer.Option("--aws", help="Ask AWS whose the credentials are; nothing else is asked.")
]

_STYLES = {State.OK: "green", State.WARNING: "yellow", State.PROBLEM: "bold red"}


def doctor(
    target: TargetToStart = AUTO,
    with_aws: WithAws = False,  # noqa: FBT002 -- a flag of the command line
    as_json: AsJson = False,  # noqa: FBT002 -- a flag of the command line
) -> None:
    """Look at this machine: what is there, what is missing, and how to mend it.

    Ends well unless something is broken that the target needs.
    """
    found = examine(target, os.environ, with_aws=with_aws)
    if as_json:
        typer.echo(json.dumps(asdict(found) | {"is_healthy": found.is_healthy}, indent=2))
    else:
        _print(found)
    if not found.is_healthy:
        raise EndedError(ExitCode.FAILED)


def _print(found: Examination) -> None:
    typer.echo(f"For the {found.target} target{f': {found.why}' if found.why else ''}")
    tables.show_rows(
        [
            Text(finding.state, _STYLES[finding.state]),
            Text(finding.name, "bold"),
            _words(finding),
        ]
        for finding in found.findings
    )


def _words(finding: Finding) -> Text:
    said = Text(finding.says)
    return said if finding.fix is None else said.append(f" -> {finding.fix}", "italic")
