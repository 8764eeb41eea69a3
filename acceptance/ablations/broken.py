"""The functions with one thing broken on purpose: what is put in the place of what they have."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from functions.adapters.aws_errors import RefusedWriteError, sorted_errors
from functions.adapters.command_store import CommandStore
from functions.adapters.projection_store import (
    AlreadyApplied,
    Applied,
    Gap,
    NotInLog,
    ProjectionStore,
)
from functions.command_handler import execution, requests
from functions.domain.account import FundsDeposited
from functions.domain.projection import effect_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pytest

    from acceptance.ablations.system import System
    from functions.adapters.command_store import CommandRecord
    from functions.adapters.http import Request
    from functions.command_handler.execution import Outcome, Refusal
    from functions.command_handler.requests import CommandRequest
    from functions.domain.account import Account, Event
    from functions.update_processor.deliveries import Delivery

    Break = Callable[[System, pytest.MonkeyPatch], None]

_append, _event, _head = CommandStore.append, CommandStore._event, CommandStore._head
_apply, _account = ProjectionStore.apply, ProjectionStore._account
_acknowledgement = ProjectionStore._acknowledgement
_CONDITIONS = (
    "ConditionExpression",
    "ExpressionAttributeNames",
    "ExpressionAttributeValues",
    "ReturnValuesOnConditionCheckFailure",
)


def _unconditional(write: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in write.items() if name not in _CONDITIONS}


def amounts_altered(_: System, patch: pytest.MonkeyPatch) -> None:
    """Between decision and append."""

    def append(store: CommandStore, event: Event, **about: Any) -> CommandRecord:
        if isinstance(event, FundsDeposited):
            event = replace(event, amount=event.amount - 1)
        return _append(store, event, **about)

    patch.setattr(CommandStore, "append", append)


def no_sweeper(system: System, _: pytest.MonkeyPatch) -> None:
    """Nobody publishes what was not published."""
    system.sweeps = False


def no_version_guard(_: System, patch: pytest.MonkeyPatch) -> None:
    """The projection writes the account, whatever version it is at."""

    def account(store: ProjectionStore, row: Account, now_ms: int) -> Any:
        return {"Put": _unconditional(_account(store, row, now_ms)["Put"])}

    patch.setattr(ProjectionStore, "_account", account)


def gaps_acknowledged(_: System, patch: pytest.MonkeyPatch) -> None:
    """And marked as projected, without healing."""

    def apply(store: ProjectionStore, event: Event, *, now_ms: int) -> Any:
        found = _apply(store, event, now_ms=now_ms)
        return store._acknowledge(event, now_ms) if isinstance(found, Gap) else found

    patch.setattr(ProjectionStore, "apply", apply)


def gaps_jumped_over(_: System, patch: pytest.MonkeyPatch) -> None:
    """The newest version is written over whichever older one."""

    def account(store: ProjectionStore, row: Account, now_ms: int) -> Any:
        put = _account(store, row, now_ms)["Put"]
        if row.version > 1:
            put["ConditionExpression"] = "#version <= :before"
        return {"Put": put}

    patch.setattr(ProjectionStore, "_account", account)


def two_writes(system: System, patch: pytest.MonkeyPatch) -> None:
    """The account's row first; line, totals and mark in a second write."""

    def apply(
        store: ProjectionStore, event: Event, *, now_ms: int
    ) -> Applied | AlreadyApplied | Gap | NotInLog:
        effect = effect_of(event)
        try:
            with sorted_errors():
                store._dynamodb.put_item(**_account(store, effect.account, now_ms)["Put"])
        except RefusedWriteError:
            return _apply(store, event, now_ms=now_ms)
        system.crash_if_armed()
        rest: Any = [
            store._line(event, effect.line),
            store._totals(event.owner_id, effect.totals),
            {"Update": _acknowledgement(store, event, now_ms)},
        ]
        store._dynamodb.transact_write_items(TransactItems=rest)
        return Applied()

    patch.setattr(ProjectionStore, "apply", apply)


def answer_kept_later(system: System, patch: pytest.MonkeyPatch) -> None:
    """The command record is written after the event."""

    def append(
        store: CommandStore,
        event: Event,
        *,
        after: Account,
        expected_version: int,
        payload_hash: str,
    ) -> CommandRecord:
        writes: Any = [
            {"Put": _event(store, event)},
            {"Put": _head(store, after, expected_version)},
        ]
        with sorted_errors():
            store._dynamodb.transact_write_items(TransactItems=writes)
        system.crash_if_armed()
        return _kept(store, event, payload_hash)

    patch.setattr(CommandStore, "append", append)


def _kept(store: CommandStore, event: Event, payload_hash: str) -> CommandRecord:
    from functions.adapters.command_store import CommandRecord  # noqa: PLC0415 -- a type above

    record = CommandRecord(
        event.command_id, payload_hash, event.account_id, event.version, event.event_id
    )
    store._dynamodb.put_item(**_unconditional(store._command(record, event.recorded_at // 1000)))
    return record


def refused_first(_: System, patch: pytest.MonkeyPatch) -> None:
    """A refusal is decided without a look at the command record."""

    def refusal(found: Refusal, *_: object) -> Outcome:
        return found

    patch.setattr(execution, "_unless_accepted_before", refusal)


def hash_without_account(_: System, patch: pytest.MonkeyPatch) -> None:
    """One payload on two accounts is taken for one command."""

    def parse(request: Request, **about: Any) -> CommandRequest:
        command = requests.parse(request, **about)
        return replace(command, payload_hash=f"{request.route} {request.body}")

    patch.setattr("functions.command_handler.handler.parse", parse)


def no_conditions(_: System, patch: pytest.MonkeyPatch) -> None:
    """Neither the event's put nor the head's update is conditioned."""
    patch.setattr(CommandStore, "_event", lambda store, event: _unconditional(_event(store, event)))
    patch.setattr(
        CommandStore,
        "_head",
        lambda store, after, version: _unconditional(_head(store, after, version)),
    )


def marks_whatever(_: System, patch: pytest.MonkeyPatch) -> None:
    """The mark is removed without a look whether the event exists."""

    def acknowledgement(store: ProjectionStore, event: Event, now_ms: int) -> Any:
        update = _acknowledgement(store, event, now_ms)
        del update["ConditionExpression"]
        used = ("projected_at", "outbox", "due", "attempts")
        update["ExpressionAttributeNames"] = {f"#{name}": name for name in used}
        values = update["ExpressionAttributeValues"]
        return update | {"ExpressionAttributeValues": {":now": values[":now"]}}

    patch.setattr(ProjectionStore, "_acknowledgement", acknowledgement)


def failures_swallowed(_: System, patch: pytest.MonkeyPatch) -> None:
    """The processor says of every record that it went well."""
    patch.setattr("functions.update_processor.handler.report", lambda _: {"batchItemFailures": []})


def failures_of_all(_: System, patch: pytest.MonkeyPatch) -> None:
    """The processor fails the batch for one record."""

    def report(failed: Sequence[Delivery]) -> dict[str, Any]:
        if failed:
            raise RuntimeError("a record failed")
        return {"batchItemFailures": []}

    patch.setattr("functions.update_processor.handler.report", report)
