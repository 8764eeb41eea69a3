"""The program: its verbs, and how it ends."""

from __future__ import annotations

from importlib import metadata
from typing import TYPE_CHECKING, Annotated

import typer

from tidemark import DISTRIBUTION
from tidemark.cli import (
    call,
    capacity,
    check,
    compare,
    doctor,
    env,
    list,  # noqa: A004 -- the verb's name
    load,
    logs,
    metrics,
    permissions,
    probe,
    report,
    runs,
    stack,
    status,
    trace,
)
from tidemark.errors import ExitCode
from tidemark.host import failures

if TYPE_CHECKING:
    from collections.abc import Callable

_USAGE_ERROR = 2

app = typer.Typer(
    name="tidemark",
    help="""A local AWS with a CQRS stack on it, in one command; and the tools to load it and
    to look into it.

    `up` starts a target (an emulated AWS), deploys the stack and proves that it works.
    The other verbs act on the deployment that `up` made.
    """,
    epilog=f"Exit codes: {' · '.join(f'{one.value} {one.meaning}' for one in ExitCode)}.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(is_wanted: bool) -> None:  # noqa: FBT001 -- typer calls it so
    if is_wanted:
        typer.echo(f"tidemark {metadata.version(DISTRIBUTION)}")
        raise typer.Exit


@app.callback()
def options(
    *,
    version: Annotated[
        bool,
        typer.Option(
            "--version", is_eager=True, callback=_print_version, help="Print the version."
        ),
    ] = False,
) -> None:
    """The options of the program itself."""


VERBS: dict[str, Callable[..., None]] = {
    "up": stack.up,
    "down": stack.down,
    "deploy": stack.deploy,
    "destroy": stack.destroy,
    "diff": stack.diff,
    "list": list.show,
    "env": env.env,
    "status": status.status,
    "logs": logs.logs,
    "metrics": metrics.metrics,
    "call": call.call,
    "trace": trace.trace,
    "doctor": doctor.doctor,
    "probe": probe.probe,
    "permissions": permissions.permissions,
    "capacity": capacity.capacity,
    "check": check.check,
    "explain": check.explain,
    "compare": compare.compare,
    "report": report.report,
}
for name, verb in VERBS.items():
    app.command(name)(verb)
app.add_typer(runs.app, name="runs")
app.command("load", help=load.HELP, context_settings=load.CONTEXT)(load.load)


def run() -> ExitCode:
    """Run the verb of the command line; the last line printed says how it ended, if not well."""
    code = _run()
    if code is not ExitCode.OK:
        typer.echo(code.last_line, err=True)
    return code


def _run() -> ExitCode:
    try:
        app()
    except SystemExit as ended:
        # Verbs end by returning or raising. Typer itself exits with 2 for usage, with 130 for
        # Ctrl-C, and with 1 when what reads the output has enough, as in `tidemark logs | head`.
        if ended.code == ExitCode.INTERRUPTED:
            typer.echo("Interrupted.", err=True)
            return ExitCode.INTERRUPTED
        return ExitCode.NOT_STARTED if ended.code == _USAGE_ERROR else ExitCode.OK
    except KeyboardInterrupt:
        typer.echo("Interrupted.", err=True)
        return ExitCode.INTERRUPTED
    except Exception as error:
        known = failures.known(error)
        if known is None:
            raise
        for line in failures.lines(known):
            typer.echo(line, err=True)
        return known.exit_code
    return ExitCode.OK
