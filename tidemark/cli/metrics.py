"""The verb metrics."""

import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from itertools import groupby
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from tidemark.aws.metrics import Summary, of_stack, summarise
from tidemark.cli import known, tables
from tidemark.cli.options import AsJson, KnownStack, KnownTarget, since

_FIGURES = ("count", "sum", "min", "max", "p50", "p99")
# What is said besides the name of a metric: of counts, nothing.
_UNITS = {"Count": "", "Milliseconds": " ms", "None": "", "Seconds": " s"}

LookingBack = Annotated[float, since("15m", "look")]


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
    deployment, clients = known.reach(target, stack_name)
    since_ms = int(time.time() * 1000 - looking_back * 60_000)
    found = summarise(of_stack(clients, deployment, since_ms=since_ms))
    if as_json:
        document = {
            "target": deployment.target,
            "stack_name": deployment.stack_name,
            "since_ms": since_ms,
            "metrics": [asdict(one) for one in found],
        }
        typer.echo(json.dumps(document, indent=2))
    elif found:
        for title, its_metrics in groupby(found, _title):
            tables.show(_table(title, its_metrics))
    else:
        typer.echo(f"The functions logged no metric in the last {looking_back:g} minutes.")


def _title(one: Summary) -> str:
    return ", ".join([one.namespace, *(f"{key}={value}" for key, value in one.dimensions.items())])


def _table(title: str, found: Iterable[Summary]) -> Table:
    drawn = tables.with_headings("metric", *_FIGURES, right=_FIGURES, title=escape(title))
    for one in found:
        drawn.add_row(*map(escape, _cells(one)))
    return drawn


def _cells(one: Summary) -> Iterator[str]:
    yield one.name + _UNITS.get(one.unit, f" {one.unit}")
    for name in _FIGURES:
        value = getattr(one, name)
        yield "" if value is None else f"{value:.10g}"
