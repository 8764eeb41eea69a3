"""What a stack of these tests has and says."""

from __future__ import annotations

from typing import Any

from tidemark.trace.lines import Said
from tidemark.workloads.bank_items import Event, EventKey, Mark

BEGUN_MS = 1_795_000_000_000


def event(
    version: int = 1,
    *,
    event_id: str | None = None,
    command_id: str | None = None,
    account_id: str = "alice",
    projected_after_ms: int | None = 30,
    mark: Mark | None = None,
) -> Event:
    recorded_at_ms = BEGUN_MS + version * 1_000
    return Event(
        key=EventKey(account_id, version, event_id or f"event-{version}"),
        type="FundsDeposited",
        owner_id="owner",
        command_id=command_id or f"AROA#key-{version}",
        data={"amount": 5, "balance": 5 * version},
        recorded_at_ms=recorded_at_ms,
        projected_at_ms=None if projected_after_ms is None else recorded_at_ms + projected_after_ms,
        mark=mark,
    )


def invocation(outcome: str, after_ms: int = 0, **members: Any) -> Said:
    said = {"message": "invocation", "outcome": outcome, **members}
    return Said(BEGUN_MS + after_ms, "command-handler", said)


def accepted(one: Event, *, published: bool = True) -> Said:
    return invocation(
        "accepted",
        one.recorded_at_ms - BEGUN_MS + 20,
        command_id=one.command_id,
        account_id=one.key.account_id,
        event_id=one.key.event_id,
        version=one.key.version,
        published=published,
        received_at=one.recorded_at_ms - 2,
    )


def record(one: Event, outcome: str = "applied", after_ms: int = 40, **members: Any) -> Said:
    about = {
        "message": "record",
        "outcome": outcome,
        "message_id": f"message-{one.key.version}",
        "receive_count": 1,
        "command_id": one.command_id,
        "account_id": one.key.account_id,
        "event_id": one.key.event_id,
        "version": one.key.version,
        "attempts": 1,
        "healed": [],
    }
    return Said(one.recorded_at_ms + after_ms, "update-processor", about | members)
