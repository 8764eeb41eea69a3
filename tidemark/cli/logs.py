"""The verb logs."""

import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Annotated

import typer

from tidemark.aws import logs as functions_logs
from tidemark.aws.logs import FUNCTIONS, Line
from tidemark.cli import known, log_lines
from tidemark.cli.log_lines import Level
from tidemark.cli.options import KnownStack, KnownTarget, since
from tidemark.errors import NotStartedError
from tidemark.host.waiting import NotSeenError, eventually

_NAMES = ", ".join(FUNCTIONS)
# Lines arrive late and out of order: each look goes back this far, and prints what is new.
_OVERLAP_MS = 10_000
_QUIET_S = 3600.0
_FEW = 200

Function = Annotated[
    str | None, typer.Argument(metavar="FUNCTION", help=f"One of {_NAMES}; all by default.")
]
Follow = Annotated[bool, typer.Option("--follow", "-f", help="Go on printing what is logged.")]
LookingBack = Annotated[float, since("15m", "look")]
AtLeast = Annotated[
    Level | None,
    typer.Option("--level", case_sensitive=False, help="Leave out what is below this level."),
]
Newest = Annotated[
    int | None,
    typer.Option(
        "--lines",
        "-n",
        min=0,
        show_default=False,
        help=f"Begin with the newest so many, 0 for all; {_FEW} by default, all with --json.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print each line whole, as one JSON object.")]


def logs(
    function: Function = None,
    *,
    follow: Follow = False,
    level: AtLeast = None,
    looking_back: LookingBack = 15.0,
    newest: Newest = None,
    as_json: AsJson = False,
    target: KnownTarget = None,
    stack_name: KnownStack = None,
) -> None:
    """Print what the functions logged, without metrics and what Lambda says of each invocation."""
    if function is not None and function not in FUNCTIONS:
        raise NotStartedError(f"There is no function {function!r}: choose one of {_NAMES}.")
    deployment, clients = known.reach(target, stack_name)

    def read(since_ms: int) -> Iterable[Line]:
        names = FUNCTIONS if function is None else [function]
        return functions_logs.read(clients, deployment, names, since_ms=since_ms)

    def is_wanted(line: Line) -> bool:
        return (as_json or log_lines.is_for_people(line)) and (
            level is None or log_lines.is_at_least(line, level)
        )

    tail = _Tail(read, int(time.time() * 1000 - looking_back * 60_000))
    found = list(filter(is_wanted, tail.new()))
    if newest is None:
        newest = 0 if as_json else _FEW
    shown = found[-newest:]
    if len(shown) < len(found):
        typer.echo(
            f"These are the newest {len(shown)} of {len(found)} lines: --lines 0 prints all.",
            err=True,
        )
    _print(shown, as_json=as_json)
    while follow:
        try:
            new = eventually(lambda: tail.new() or None, within_s=_QUIET_S, what="a logged line")
        except NotSeenError:
            continue
        _print(filter(is_wanted, new), as_json=as_json)


def _print(lines: Iterable[Line], *, as_json: bool) -> None:
    for line in lines:
        for said in [log_lines.as_json(line)] if as_json else log_lines.readable(line):
            typer.echo(said)


class _Tail:
    """Gives each line once, in order of time, and of arrival within a millisecond."""

    def __init__(self, read: Callable[[int], Iterable[Line]], since_ms: int) -> None:
        self._read = read
        self._since_ms = since_ms
        self._seen: Counter[Line] = Counter()

    def new(self) -> list[Line]:
        """The lines that were not given yet."""
        found = sorted(self._read(self._since_ms), key=lambda line: line.at_ms)
        # Counted: some targets give lines no ids, and then two may be alike.
        old = self._seen.copy()
        new = []
        for line in found:
            if old[line] > 0:
                old[line] -= 1
            else:
                new.append(line)
        if found:
            self._since_ms = max(self._since_ms, found[-1].at_ms - _OVERLAP_MS)
        self._seen = Counter(line for line in found if line.at_ms >= self._since_ms)
        return new
