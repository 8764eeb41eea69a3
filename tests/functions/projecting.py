"""Events in the log, and their delivery to the Update Processor."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from functions.adapters.clock import Clock
from functions.adapters.command_store import CommandStore
from functions.adapters.event_codec import event_key, to_message
from functions.adapters.items import from_item, to_item
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
from tests.functions.calling import (
    LambdaContext,
    aws,
    command_table_items,
    parts,
    query_table_items,
)


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


def assert_projected(events: list[Event]) -> None:
    """The read model and the acknowledgements are what a fold of the events says."""
    account: Account | None = None
    for event in events:
        account = evolve(account, event)
    assert account is not None
    rows = query_table_items(f"account#{account.account_id}")
    row, lines = rows[0], rows[1:]
    assert (row["version"], row["balance"], row["status"], row["owner_id"]) == (
        account.version,
        account.balance,
        account.status.value,
        account.owner_id,
    )
    assert [line["sk"] for line in lines] == [f"line#{event.version:012d}" for event in events]
    assert [line["type"] for line in lines] == [type(event).__name__ for event in events]
    (totals,) = query_table_items(f"owner#{account.owner_id}")
    assert (totals["accounts"], totals["balance"]) == (1, account.balance)
    for item in command_table_items(account.account_id)[: len(events)]:
        assert item["projected_at"] >= item["recorded_at"]
        assert not {"outbox", "due", "attempts"} & item.keys()


def cancelled(*codes: str) -> ClientError:
    response: Any = {
        "Error": {"Code": "TransactionCanceledException", "Message": ""},
        "CancellationReasons": [{"Code": code} for code in codes],
    }
    return ClientError(response, "TransactWriteItems")


def rewritten(event: Event, **values: Any) -> dict[str, Any]:
    """Change an event in the log, as no function does, and return the values it had."""
    key = to_item(event_key(event.account_id, event.version))
    old = aws().dynamodb.update_item(
        TableName="commands",
        Key=key,
        UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in values),
        ExpressionAttributeNames={f"#{name}": name for name in values},
        ExpressionAttributeValues=to_item({f":{name}": value for name, value in values.items()}),
        ReturnValues="UPDATED_OLD",
    )["Attributes"]
    return from_item(old)
