"""The verb permissions."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from tidemark.cli import choices, tables
from tidemark.cli.options import DEFAULT_STACK_NAME, AsJson
from tidemark.deploy.synthesis import App, find, synthesise
from tidemark.errors import EndedError, ExitCode, NotStartedError
from tidemark.host.processes import Children
from tidemark.host.progress import Steps
from tidemark.host.state import make_private, require_checkout, state_dir
from tidemark.permissions import rendering
from tidemark.permissions.call_log import HOW_TO_WRITE, PATH, CallLog
from tidemark.permissions.proof import prove

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.table import Table

    from tidemark.deploy.assembly import Assembly
    from tidemark.permissions.objections import Proof

_WIRINGS = ("queued", "direct")
_STYLES = {"yes": "green", "NO": "bold red", "-": "dim"}

CallLogFile = Annotated[
    Path | None,
    typer.Option("--calls", help=f"Another call log than {PATH}.", metavar="FILE"),
]


def permissions(
    as_json: AsJson = False,  # noqa: FBT002 -- a flag of the command line
    calls: CallLogFile = None,
) -> None:
    """Prove, without AWS, that the functions' roles suffice and grant nothing else.

    What the functions were seen to call is evaluated against the policies of the synthesised
    template, in each wiring; so is what services do with the roles, and who may call whom.
    """
    checkout = require_checkout("permissions")
    call_log = CallLog.read(calls or checkout / PATH)
    if missing := [wiring for wiring in _WIRINGS if wiring not in call_log.calls]:
        raise NotStartedError(f"The call log lacks wiring {', '.join(missing)}: {HOW_TO_WRITE}.")
    templates = {wiring: one.stacks[0].template for wiring, one in _assemblies(checkout).items()}
    proofs = {
        wiring: prove(template, call_log.calls[wiring]) for wiring, template in templates.items()
    }
    if as_json:
        typer.echo(json.dumps(rendering.as_json(proofs), indent=2))
    else:
        _print(proofs)
    if not all(proof.holds for proof in proofs.values()):
        raise EndedError(ExitCode.VIOLATED)


def _assemblies(checkout: Path) -> dict[str, Assembly]:
    """The stack, synthesised in each wiring."""
    chosen = {wiring: choices.keep({}, {"wiring": wiring}) for wiring in _WIRINGS}
    apps = {wiring: App(checkout, DEFAULT_STACK_NAME, chosen[wiring]) for wiring in _WIRINGS}
    found = {wiring: find(app) for wiring, app in apps.items()}
    ready = {wiring: one for wiring, one in found.items() if one is not None}
    if len(ready) == len(apps):
        return ready
    children = Children()
    make_private(state_dir())
    log = state_dir() / "cdk"
    with Steps().step("the CDK app is synthesised"), ThreadPoolExecutor(len(apps)) as pool:
        try:
            made = pool.map(
                lambda item: synthesise(item[1], children, log / f"synth-{item[0]}.log"),
                apps.items(),
            )
            return dict(zip(apps, made, strict=True))
        except BaseException:
            children.stop()  # else leaving the pool would wait for the app
            raise


def _table(proofs: Mapping[str, Proof]) -> Table:
    drawn = tables.with_headings("who", "needs", *proofs)
    for row in rendering.rows(proofs):
        drawn.add_row(*(Text(cell, _STYLES.get(cell, "")) for cell in row))
    return drawn


def _print(proofs: dict[str, Proof]) -> None:
    tables.show(_table(proofs))
    objections = rendering.objections(proofs)
    for line in objections:
        typer.secho(line, fg="red")
    if not objections:
        checked = sum(len(proof.rows) for proof in proofs.values())
        typer.echo(
            f"{checked} permissions are needed and granted, and no other; what calls without a "
            "role is let in, and nobody else."
        )
