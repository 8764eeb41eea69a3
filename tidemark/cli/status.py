"""The verb status."""

import json
from collections.abc import Iterator
from typing import Any

import typer

from tidemark.cli import known, tables
from tidemark.cli.options import AsJson, KnownStack, KnownTarget
from tidemark.deploy import status as measured


def status(
    target: KnownTarget = None,
    stack_name: KnownStack = None,
    as_json: AsJson = False,  # noqa: FBT002 -- a flag of the command line
) -> None:
    """Show the target, the stack, and what is on its way through it."""
    deployment, clients = known.reach(target, stack_name)
    report = measured.report(deployment, clients)
    if as_json:
        typer.echo(json.dumps(report, indent=2, sort_keys=True))
        return
    tables.show_rows(_rows(report))


def _rows(report: dict[str, Any]) -> Iterator[tuple[str, str]]:
    outbox = report["outbox"]
    yield "target", f"{report['target']} ({report['endpoint'] or 'AWS'}, {report['region']})"
    yield "stack", f"{report['stack_name']}, wiring {report['wiring']}"
    yield "API", report["api_url"]
    yield "template", report["template_digest"]
    yield (
        "outbox",
        (f"{outbox['size']} events, oldest {outbox['oldest_age_s']:g} s, {outbox['stuck']} stuck"),
    )
    if report["queue_depth"] is not None:
        yield "queue", f"{report['queue_depth']} messages"
    yield "dead letters", str(report["dead_letters"])
    yield "versions", ", ".join(f"{name} {one}" for name, one in report["versions"].items())
    for name, value in sorted(report["outputs"].items()):
        yield f"  {name}", value
