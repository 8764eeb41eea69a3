"""The Update Processor against the embedded target."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from functions.adapters.clock import Clock
from functions.adapters.event_codec import to_message
from functions.adapters.event_log import EventLog
from functions.adapters.projection_store import (
    AlreadyApplied,
    Applied,
    Gap,
    NotInLog,
    ProjectionStore,
)
from functions.domain.account import (
    CloseAccount,
    Deposit,
    Event,
)
from functions.update_processor.handler import Environment, UpdateProcessor, build
from functions.update_processor.redelivery import UndeliverableError
from tests.functions.calling import (
    Calls,
    FailingClient,
    LambdaContext,
    StoppedClock,
    aws,
    command_table_items,
    parts,
    query_table_items,
)
from tests.functions.projecting import (
    assert_projected,
    cancelled,
    deliver,
    queue_record,
    recorded,
    standard,
)

if TYPE_CHECKING:
    from collections.abc import Callable


def test_events_in_order_are_applied_with_one_transaction_each(unique: str, calls: Calls) -> None:
    events = standard(unique)
    calls.reset()
    assert deliver(*events) == []
    assert calls.made == {"TransactWriteItems": 4}
    assert_projected(events)


def test_a_closed_account_reads_as_closed(unique: str) -> None:
    events = recorded(unique, CloseAccount("a"))
    assert deliver(*events) == []
    assert_projected(events)


def test_a_redelivered_event_is_applied_once(
    unique: str, printed: Callable[[], list[dict[str, Any]]]
) -> None:
    events = standard(unique)
    deliver(*events)
    printed()
    assert deliver(*events) == []
    assert deliver(events[1], events[1]) == []
    lines = printed()
    assert [line["outcome"] for line in lines if line.get("message") == "record"] == [
        "duplicate"
    ] * 6
    assert sum(sum(line.get("Duplicates", [])) for line in lines) == 6
    assert_projected(events)


def test_a_batch_out_of_order_is_applied_in_order(unique: str, calls: Calls) -> None:
    events = standard(unique)
    calls.reset()
    assert deliver(*reversed(events)) == []
    assert calls.made == {"TransactWriteItems": 4}
    assert_projected(events)


def test_a_gap_is_healed_from_the_log(
    unique: str, printed: Callable[[], list[dict[str, Any]]]
) -> None:
    events = standard(unique)
    printed()
    assert deliver(events[3]) == []
    (record,) = [line for line in printed() if line.get("message") == "record"]
    assert (record["outcome"], record["healed"], record["version"]) == ("applied", [1, 2, 3], 4)
    assert_projected(events)
    assert deliver(*events[:3]) == []
    assert_projected(events)


def test_a_gap_longer_than_one_reading_is_healed(
    unique: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("functions.update_processor.projection._HEALED_AT_ONCE", 2)
    events = recorded(unique, *[Deposit("a", n) for n in range(1, 8)])
    assert deliver(events[-1]) == []
    assert_projected(events)


def test_a_mark_that_was_left_behind_goes_with_a_duplicate(unique: str) -> None:
    events = standard(unique)
    deliver(*events)
    aws().dynamodb.update_item(
        TableName="commands",
        Key={"pk": {"S": f"account#{unique}-a"}, "sk": {"S": "event#000000000002"}},
        UpdateExpression="SET outbox = :one, due = :one, attempts = :one",
        ExpressionAttributeValues={":one": {"N": "1"}},
    )
    assert deliver(events[1]) == []
    assert_projected(events)


def forged(unique: str, how: str) -> str:
    event = standard(unique)[-1]
    deliver(event)
    message = json.loads(to_message(event))
    message |= {
        "unknown event id": {"event_id": Clock().new_id()},
        "impossible version": {"version": 900},
        "next version": {"version": 5, "event_id": Clock().new_id()},
        "another amount": {"data": {"amount": 500, "balance": 512}},
        "another type": {"type": "FundsWithdrawn"},
        "another owner": {"owner_id": "thief"},
        "another account": {"account_id": f"{unique}-x"},
        "unknown type": {"type": "AccountRenamed"},
        "another schema": {"schema": 2},
        "no schema": {"schema": None},
        "version zero": {"version": 0},
        "version true": {"version": True},
        "version text": {"version": "4"},
        "missing data": {"data": {}},
        "further data": {"data": {"amount": 5, "balance": 12, "fee": 1}},
        "fractional amount": {"data": {"amount": 5.5, "balance": 12}},
        "empty owner": {"owner_id": ""},
    }[how]
    return json.dumps(message)


POISON = [
    "unknown event id",
    "impossible version",
    "next version",
    "another amount",
    "another type",
    "another owner",
    "another account",
    "unknown type",
    "another schema",
    "no schema",
    "version zero",
    "version true",
    "version text",
    "missing data",
    "further data",
    "fractional amount",
    "empty owner",
]


@pytest.mark.parametrize("how", POISON)
def test_a_message_that_the_log_does_not_know_fails_and_changes_nothing(
    unique: str, how: str
) -> None:
    message = forged(unique, how)
    before = command_table_items(f"{unique}-a"), query_table_items(f"account#{unique}-a")
    for receive_count in (1, 5):
        assert deliver(message, receive_count=receive_count) == [0]
    assert (command_table_items(f"{unique}-a"), query_table_items(f"account#{unique}-a")) == before
    assert not command_table_items(f"{unique}-x")
    assert not query_table_items("owner#thief")


@pytest.mark.parametrize("body", ["", "{", "[]", "null", "3", "[" * 50_000, '"text"', "{}"])
def test_a_body_that_is_no_event_fails_alone(unique: str, body: str) -> None:
    events = standard(unique)
    assert deliver(events[0], body, *events[1:]) == [1]
    assert_projected(events)


def processor_of(store: ProjectionStore, clock: Clock | None = None) -> UpdateProcessor:
    whole = parts(clock)
    return UpdateProcessor(
        store=store,
        log=EventLog(aws().dynamodb, "commands"),
        queue=None,
        clock=whole.clock,
        budget=whole.budget,
        telemetry=whole.telemetry(whole.environment(Environment)),
    )


@pytest.mark.parametrize(
    "codes",
    [
        ("None", "None", "TransactionConflict", "None"),
        ("ThrottlingError", "None", "None", "None"),
        # A conflict hides how the rest stood: no conclusion may be drawn from the first reason.
        ("ConditionalCheckFailed", "None", "None", "TransactionConflict"),
    ],
)
def test_what_contends_is_tried_again(unique: str, codes: tuple[str, ...]) -> None:
    events = standard(unique)
    client = FailingClient(aws().dynamodb, "transact_write_items", cancelled(*codes), times=7)
    processor = build(parts(StoppedClock(), {"dynamodb": client}))
    assert deliver(*events, processor=processor) == []
    assert client.failed == 7
    assert_projected(events)


@pytest.mark.parametrize(("receive_count", "failed"), [(1, [0]), (4, [0]), (5, []), (6, [])])
def test_without_time_the_queue_keeps_the_event_until_the_sweeper_owns_it(
    unique: str,
    printed: Callable[[], list[dict[str, Any]]],
    receive_count: int,
    failed: list[int],
) -> None:
    (event,) = recorded(unique)
    printed()
    assert deliver(event, receive_count=receive_count, remaining_ms=1_000) == failed
    record = next(line for line in printed() if line.get("message") == "record")
    assert record["left_to"] == ("queue" if failed else "sweeper")
    assert "outbox" in command_table_items(event.account_id)[0]
    assert query_table_items(f"account#{event.account_id}") == []


def test_a_bug_in_one_record_does_not_fail_the_others(unique: str) -> None:
    events = standard(unique)
    (other,) = recorded(f"{unique}z")

    class Buggy(ProjectionStore):
        def apply(self, event: Event, *, now_ms: int) -> Applied | AlreadyApplied | Gap | NotInLog:
            if event == other:
                raise KeyError("a bug")
            return super().apply(event, now_ms=now_ms)

    store = Buggy(aws().dynamodb, command_table_name="commands", query_table_name="queries")
    assert deliver(other, *events, processor=processor_of(store)) == [0]
    assert_projected(events)


def queued_message(body: str) -> dict[str, Any]:
    """Send a message to the real queue and receive it."""
    sqs, queue_url = aws().sqs, os.environ["QUEUE_URL"]
    message_id = sqs.send_message(QueueUrl=queue_url, MessageBody=body)["MessageId"]
    while True:
        for message in sqs.receive_message(
            QueueUrl=queue_url, MaxNumberOfMessages=10, WaitTimeSeconds=1
        )["Messages"]:
            if message["MessageId"] == message_id:
                return queue_record(body) | {"receiptHandle": message["ReceiptHandle"]}


@pytest.mark.parametrize(
    ("poison", "bounds"),
    # At the last receive poison goes straight on to the dead-letter queue.
    [(True, [1, 2, 4, 8, 0, 0]), (False, [1, 2, 4, 8, 16, 30])],
)
def test_a_failed_message_comes_back_soon(unique: str, bounds: list[int], *, poison: bool) -> None:
    body = "poison" if poison else to_message(recorded(unique)[0])
    context = LambdaContext(10_000 if poison else 1_000)
    record = queued_message(body)
    visibilities = []

    class Watched:
        def change_message_visibility(self, **parameters: Any) -> None:
            visibilities.append(parameters["VisibilityTimeout"])
            longer = parameters | {"VisibilityTimeout": 60}
            aws().sqs.change_message_visibility(**longer)

    processor = build(parts(None, {"sqs": Watched()}, MAX_RECEIVE_COUNT="5" if poison else "99"))
    for receive_count in (1, 2, 3, 4, 5, 9):
        record["attributes"] = {"ApproximateReceiveCount": str(receive_count)}
        result = processor.handle({"Records": [record]}, context)
        assert len(result["batchItemFailures"]) == 1
    for visibility, bound in zip(visibilities, bounds, strict=True):
        assert bound // 2 <= visibility <= bound


def topic_event(body: str) -> dict[str, Any]:
    return {
        "Records": [
            {"EventSource": "aws:sns", "Sns": {"MessageId": Clock().new_id(), "Message": body}}
        ]
    }


def test_the_topic_delivers_to_the_same_projection(unique: str) -> None:
    events = standard(unique)
    for event in events:
        build(parts()).handle(topic_event(to_message(event)), LambdaContext())
    assert_projected(events)


def test_poison_from_the_topic_fails_the_invocation_and_a_passing_failure_does_not(
    unique: str,
) -> None:
    with pytest.raises(UndeliverableError):
        build(parts()).handle(topic_event("poison"), LambdaContext())
    (event,) = recorded(unique)
    build(parts()).handle(topic_event(to_message(event)), LambdaContext(remaining_ms=1_000))
    assert "outbox" in command_table_items(event.account_id)[0]


def test_a_log_with_a_hole_is_not_waited_for(unique: str) -> None:
    events = standard(unique)
    aws().dynamodb.delete_item(
        TableName="commands",
        Key={"pk": {"S": f"account#{unique}-a"}, "sk": {"S": "event#000000000001"}},
    )
    assert deliver(replace(events[1])) == [0]
    assert query_table_items(f"account#{unique}-a") == []
