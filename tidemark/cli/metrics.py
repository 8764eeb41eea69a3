"""The verb metrics."""

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Annotated

import typer
from rich import box
from rich.markup import escape
from rich.table import Table

from tidemark.aws.clients import AwsClients
from tidemark.aws.metrics import Summary, of_stack, summarised
from tidemark.cli import known
from tidemark.cli.options import KnownStack, KnownTarget, since
from tidemark.cli.tables import table_console

_FIGURES = ("count", "sum", "min", "max", "p50", "p99")

LookingBack = Annotated[float, since("15m", "look")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def register(app: typer.Typer) -> None:
    """Add the verb to the program."""
    app.command()(metrics)


def metrics(
    *,
    looking_back: LookingBack = 15.0,
    as_json: AsJson = False,
    target: KnownTarget = None,
    stack_name: KnownStack = None,
) -> None:
    """Print the stack's own metrics, read from what its functions logged.

    CloudWatch makes metrics of such lines, emulators do not; so these figures are there on every
    target, and are exact.
    """
    deployment, its_target = known.chosen(target, stack_name)
    clients = AwsClients(known.answering(its_target))
    since_ms = int(time.time() * 1000 - looking_back * 60_000)
    found = summarised(of_stack(clients, deployment, since_ms=since_ms))
    if as_json:
        document = {
            "target": deployment.target,
            "stack_name": deployment.stack_name,
            "since_ms": since_ms,
            "metrics": [asdict(one) for one in found],
        }
        typer.echo(json.dumps(document, indent=2))
    elif found:
        table_console().print(_table(found))
    else:
        typer.echo(f"The functions logged no metric in the last {looking_back:g} minutes.")


def _table(found: Sequence[Summary]) -> Table:
    drawn = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("metric", "dimensions", "unit"):
        drawn.add_column(name)
    for name in _FIGURES:
        drawn.add_column(name, justify="right", no_wrap=True)
    for one in found:
        drawn.add_row(*map(escape, _cells(one)))
    return drawn


def _cells(one: Summary) -> Iterator[str]:
    yield f"{one.namespace} {one.name}"
    yield ", ".join(f"{name}={value}" for name, value in one.dimensions.items())
    yield "" if one.unit == "None" else one.unit
    for name in _FIGURES:
        value = getattr(one, name)
        yield "" if value is None else f"{value:.10g}"
