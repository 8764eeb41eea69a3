"""Events in the log, and their delivery to the Update Processor."""

from __future__ import annotations

from typing import Any

from functions.adapters.clock import Clock
from functions.adapters.command_store import CommandStore
from functions.adapters.event_codec import to_message
from functions.domain.account import (
    Account,
    Command,
    Deposit,
    Event,
    OpenAccount,
    Stamp,
    Withdraw,
    decide,
    evolve,
)
from functions.update_processor.handler import UpdateProcessor, build
from tests.functions.calling import LambdaContext, aws, parts


def recorded(
    unique: str, *commands: Command, account_id: str | None = None, clock: Clock | None = None
) -> list[Event]:
    """Append the events of an opening and of some commands to the log, publishing nothing."""
    store = CommandStore(aws().dynamodb, "commands")
    clock = clock or Clock()
    account_id = account_id or f"{unique}-a"
    account: Account | None = None
    events = []
    for command in (OpenAccount(account_id, f"{unique}-o"), *commands):
        stamp = Stamp(clock.new_id(), clock.new_id(), clock.now_ms())
        event = decide(account, command, stamp)
        after = evolve(account, event)
        store.append(
            event, after=after, expected_version=event.version - 1, payload_hash="irrelevant"
        )
        account = after
        events.append(event)
    return events


def standard(unique: str) -> list[Event]:
    return recorded(unique, Deposit("a", 10), Withdraw("a", 3), Deposit("a", 5))


def queue_record(body: str, *, receive_count: int = 1) -> dict[str, Any]:
    return {
        "eventSource": "aws:sqs",
        "messageId": Clock().new_id(),
        "receiptHandle": "none",
        "body": body,
        "attributes": {"ApproximateReceiveCount": str(receive_count)},
    }


def deliver(
    *events: Event | str,
    receive_count: int = 1,
    remaining_ms: int = 10_000,
    processor: UpdateProcessor | None = None,
) -> list[int]:
    """Deliver one batch through the queue and return the positions of those that failed."""
    records = [
        queue_record(
            event if isinstance(event, str) else to_message(event), receive_count=receive_count
        )
        for event in events
    ]
    processor = processor or build(parts())
    result = processor.handle({"Records": records}, LambdaContext(remaining_ms))
    failed = {failure["itemIdentifier"] for failure in result["batchItemFailures"]}
    return [n for n, record in enumerate(records) if record["messageId"] in failed]
