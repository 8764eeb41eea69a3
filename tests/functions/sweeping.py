"""Sweeps of the outbox, with a topic and a clock of the test's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from functions.adapters.event_bus import EventBus
from functions.adapters.items import to_item
from functions.adapters.outbox import SHARDS, Outbox
from functions.outbox_sweeper.handler import Environment, OutboxSweeper
from tests.functions.calling import (
    LambdaContext,
    StoppedClock,
    aws,
    command_table_items,
    parts,
)

if TYPE_CHECKING:
    from functions.domain.account import Event

HOUR_MS = 3_600_000


class Bus(EventBus):
    """A topic that keeps what it is given, and refuses what it is told to."""

    def __init__(self) -> None:
        self.published: list[Event] = []
        self.refused: set[str] = set()

    def publish(self, event: Event, *, trace: str | None) -> None:
        del trace
        if event.event_id in self.refused:
            raise ClientError({"Error": {"Code": "NotFound", "Message": "no topic"}}, "Publish")
        self.published.append(event)


def emptied_outbox() -> None:
    """Acknowledge what other tests left unprojected."""
    box = outbox_of(StoppedClock())
    for shard in range(SHARDS):
        for entry in box.unprojected(shard, most=10_000):
            pk, sk = entry.key
            aws().dynamodb.update_item(
                TableName="commands",
                Key=to_item({"pk": pk, "sk": sk}),
                UpdateExpression="REMOVE outbox, due, attempts",
            )


def outbox_of(clock: StoppedClock, kind: type[Outbox] = Outbox) -> Outbox:
    return kind(aws().dynamodb, "commands", clock)


def swept(
    bus: Bus,
    clock: StoppedClock,
    *,
    remaining_ms: int = HOUR_MS,
    box: Outbox | None = None,
    dynamodb: Any = None,
    redrive: bool = False,
) -> dict[str, int]:
    """Sweep once and return what the sweep reports."""
    whole = parts(clock)
    sweeper = OutboxSweeper(
        outbox=box or Outbox(dynamodb or aws().dynamodb, "commands", clock),
        bus=bus,
        clock=clock,
        budget=whole.budget,
        telemetry=whole.telemetry(whole.environment(Environment)),
    )
    return sweeper.handle({"redrive_stuck": redrive}, LambdaContext(remaining_ms))


def mark(event: Event) -> dict[str, Any]:
    items = command_table_items(event.account_id)
    return next(item for item in items if item["sk"] == f"event#{event.version:012d}")
