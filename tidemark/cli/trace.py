"""The verb trace."""

import json
from collections.abc import Iterator
from typing import Annotated, Any

import typer
from rich.text import Text

from tidemark.cli import known, tables
from tidemark.cli.options import AsJson, KnownStack, KnownTarget, since
from tidemark.errors import EndedError, ExitCode
from tidemark.trace import document
from tidemark.trace.subject import Kind
from tidemark.trace.tracing import Tracer, Unknown

WantedId = Annotated[
    str,
    typer.Argument(
        metavar="ID", help="An idempotency key, an event id, an account id or a message id."
    ),
]
AsKind = Annotated[
    Kind | None,
    typer.Option("--as", help="What the id is, when it is several things at once."),
]
LookingBack = Annotated[
    float,
    since("1h", "search the logs for an id that no key leads to"),
]

Row = tuple[str, str, str, bool]


def trace(
    wanted_id: WantedId,
    kind: AsKind = None,
    looking_back: LookingBack = 60.0,
    as_json: AsJson = False,  # noqa: FBT002 -- a flag of the command line
    target: KnownTarget = None,
    stack_name: KnownStack = None,
) -> None:
    """Show the way of a command, an event or an account through the stack, as one timeline."""
    deployment, clients = known.reach(target, stack_name)
    found = Tracer.of(deployment, clients, lookback_min=looking_back).trace(wanted_id, kind)
    if as_json:
        where = {"target": deployment.target, "stack_name": deployment.stack_name}
        typer.echo(json.dumps(where | document.of(wanted_id, found), indent=2))
    elif isinstance(found, Unknown):
        typer.echo(f"Nothing is known of {wanted_id!r}. Searched: {'; '.join(found.searched)}.")
        typer.echo("With --since 1d the function logs are searched further back.")
    else:
        said = document.of(wanted_id, found)
        typer.echo(f"{said['kind']} {said['id']}{_belongs(said)}")
        _show(said)
    if isinstance(found, Unknown):
        raise EndedError(ExitCode.UNKNOWN)


def _show(found: dict[str, Any]) -> None:
    tables.show_rows(
        (
            [Text(offset, "dim"), Text(stage, "bold"), Text(text, "red" if is_trouble else "")]
            for offset, stage, text, is_trouble in _rows(found)
        ),
        right=1,
    )


def _belongs(found: dict[str, Any]) -> str:
    account_id = found["account_id"]
    return f", account {account_id}" if account_id not in (None, found["id"]) else ""


def _rows(found: dict[str, Any]) -> Iterator[Row]:
    """Offset, stage, what happened, whether it is trouble; then how things stand now."""
    for moment in found["timeline"]:
        text = f"{moment['text']}  [{moment['source']}]"
        yield f"{moment['offset_ms']:+d} ms", moment["stage"], text, moment["is_trouble"]
    for event in found["events"]:
        if event["outbox"] is not None:
            yield "now", "outbox", _waiting(event), True
        elif not event["has_statement_line"]:
            text = f"version {event['version']} is projected and has no statement line"
            yield "now", "query side", text, True
    for letter in found["dead_letters"]:
        yield "now", "dead letter", _dead(letter), not letter["is_stale"]
    yield from _sides(found)
    for note in found["notes"]:
        yield "", "note", note, False


def _waiting(event: dict[str, Any]) -> str:
    outbox = event["outbox"]
    text = f"version {event['version']} is not projected; {outbox['attempts']} copies so far"
    return text + ("; stuck: one an hour until a redrive" if outbox["is_stuck"] else "")


def _dead(letter: dict[str, Any]) -> str:
    text = f"message {letter['message_id']}"
    if letter["is_stale"]:
        return f"{text}; stale, its event is projected"
    return f"{text}: {letter['reason'] or 'no line says why'}"


def _sides(found: dict[str, Any]) -> Iterator[Row]:
    if found["account_id"] is None:
        return
    head, account = found["write_side"], found["query_side"]
    behind = head is not None and (account or {"version": 0})["version"] < head["version"]
    yield "now", "write side", _account(head), False
    yield "now", "query side", _account(account) + (", behind" if behind else ""), behind


def _account(row: dict[str, Any] | None) -> str:
    if row is None:
        return "no such account"
    return f"version {row['version']}, balance {row['balance']}, {row['status']}"
