"""The verb logs."""

import time
from typing import TYPE_CHECKING, Annotated

import typer

from tidemark.aws import logs as read_logs
from tidemark.aws.clients import AwsClients
from tidemark.cli import known
from tidemark.cli.options import KnownStack, KnownTarget, minutes
from tidemark.errors import RefusedError
from tidemark.host.deployment import Deployment
from tidemark.host.waiting import NotSeenError, eventually

if TYPE_CHECKING:
    from tidemark.aws.logs import Line

_NAMES = ", ".join(read_logs.FUNCTIONS)
# Lines arrive late and out of order: each look goes back this far, and prints what is new.
_OVERLAP_MS = 10_000
_QUIET_S = 3600.0

Function = Annotated[
    str | None, typer.Argument(metavar="[FUNCTION]", help=f"One of {_NAMES}; all by default.")
]
Follow = Annotated[bool, typer.Option("--follow", "-f", help="Go on printing what is logged.")]
Since = Annotated[
    float, typer.Option("--since", parser=minutes, help="How many minutes to look back.")
]


def register(app: typer.Typer) -> None:
    """Add the verb to the program."""
    app.command()(logs)


def logs(
    function: Function = None,
    follow: Follow = False,  # noqa: FBT002 -- a flag of the command line
    since: Since = 15.0,
    target: KnownTarget = None,
    stack_name: KnownStack = None,
) -> None:
    """Print what the functions logged."""
    if function is not None and function not in read_logs.FUNCTIONS:
        raise RefusedError(f"There is no function {function!r}: choose one of {_NAMES}.")
    deployment, its_target = known.chosen(target, stack_name)
    clients = AwsClients(known.answering(its_target))
    names = list(read_logs.FUNCTIONS) if function is None else [function]
    begin_ms = int(time.time() * 1000 - since * 60_000)
    tail = _Tail(deployment, clients, names, begin_ms)
    tail.print_new()
    while follow:
        try:
            eventually(tail.print_new, within_s=_QUIET_S, what="a logged line")
        except NotSeenError:
            continue


class _Tail:
    """Prints each line once, in order of time as far as it is known."""

    def __init__(
        self, deployment: Deployment, clients: AwsClients, functions: list[str], since_ms: int
    ) -> None:
        self._deployment = deployment
        self._clients = clients
        self._functions = functions
        self._since_ms = since_ms
        self._printed: set[Line] = set()

    def print_new(self) -> bool | None:
        """Print what was not printed yet; say whether there was any."""
        found = sorted(
            set(
                read_logs.read(
                    self._clients, self._deployment, self._functions, since_ms=self._since_ms
                )
            )
            - self._printed
        )
        for line in found:
            typer.echo(f"{line.function:<16} {line.text}")
        if not found:
            return None
        self._printed.update(found)
        self._since_ms = max(self._since_ms, found[-1].at_ms - _OVERLAP_MS)
        self._printed = {one for one in self._printed if one.at_ms >= self._since_ms}
        return True
