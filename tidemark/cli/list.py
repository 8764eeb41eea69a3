"""The verb list."""

import json
from collections.abc import Iterator
from typing import Annotated

import typer

from tidemark import targets
from tidemark.aws import stacks
from tidemark.aws.clients import AwsClients
from tidemark.cli import tables
from tidemark.cli.options import KnownTarget
from tidemark.errors import TidemarkError
from tidemark.host import deployment as deployments
from tidemark.host.deployment import Deployment
from tidemark.host.state import state_dir

_HEADINGS = ("stack", "target", "wiring", "endpoint", "state")

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON list.")]


def show(
    target: KnownTarget = None,
    as_json: AsJson = False,  # noqa: FBT002 -- a flag of the command line
) -> None:
    """Show what is deployed where, and whether it is up.

    A target that asks first is asked only if it is named.
    """
    rows = list(_rows(target))
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
        return
    if not rows:
        on = f" on {target}" if target else ""
        typer.echo(f"No deployment{on} is known in {state_dir()}: `tidemark up` makes one.")
        return
    table = tables.with_headings(*_HEADINGS)
    for row in rows:
        table.add_row(*(str(row[name] or "") for name in _HEADINGS))
    tables.show(table)


def _rows(target_name: str | None) -> Iterator[dict[str, str | None]]:
    for one in deployments.known():
        if target_name in {None, one.target}:
            yield {
                "stack": one.stack_name,
                "target": one.target,
                "wiring": one.outputs.get("Wiring"),
                "endpoint": one.endpoint or f"AWS, {one.region}",
                "api_url": one.api_url,
                "state": _state(one, is_named=target_name is not None),
            }


def _state(known: Deployment, *, is_named: bool) -> str:
    """Whether a deployment is up, in words."""
    target = targets.of_deployment(known)
    if target.asks_first and not is_named:
        return f"not asked: --target {target.name}"
    try:
        connection = target.find()
        if connection is None:
            return "target does not run" if target.is_ours else "no answer"
        live = stacks.describe(AwsClients(connection), known.stack_name)
    except TidemarkError as error:
        return str(error)
    if live is None:
        return "gone"
    return "up" if live.is_settled else live.status
