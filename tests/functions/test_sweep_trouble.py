"""What the Outbox Sweeper does when tables, topic, log or time fail it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from functions.adapters import outbox
from functions.adapters.items import from_item
from functions.adapters.outbox import MOST_ATTEMPTS
from functions.domain.account import Deposit
from tests.functions.calling import FailingClient, StoppedClock, WatchedClient, aws
from tests.functions.projecting import recorded, rewritten
from tests.functions.sweeping import HOUR_MS, Bus, emptied_outbox, mark, swept

if TYPE_CHECKING:
    from collections.abc import Callable

GAUGES = {"OutboxSize", "OutboxStuck", "OutboxUnreadable", "OutboxUnreadShards", "OutboxOldestAge"}


def error(code: str, operation: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": ""}}, operation)


NOT_NOW = [
    # On AWS, for an item in a transaction that is going on; botocore does not try again.
    error("TransactionConflictException", "UpdateItem"),
    error("ProvisionedThroughputExceededException", "UpdateItem"),
    error("InternalServerError", "UpdateItem"),
    ReadTimeoutError(endpoint_url="http://tables"),
    KeyError("a bug"),
]


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


@pytest.fixture(autouse=True)
def _empty_outbox() -> None:
    emptied_outbox()


@pytest.mark.parametrize("not_now", NOT_NOW)
def test_an_event_that_cannot_be_put_off_does_not_stop_the_sweep(
    unique: str,
    clock: StoppedClock,
    printed: Callable[[], list[dict[str, Any]]],
    not_now: Exception,
) -> None:
    events = recorded(unique, Deposit("a", 1), Deposit("a", 2), clock=clock)
    clock.at_ms += HOUR_MS
    client = FailingClient(aws().dynamodb, "update_item", not_now, times=1)
    bus = Bus()
    printed()
    result = swept(bus, clock, dynamodb=client)
    assert (result["published"], result["not_postponed"]) == (3, 1)
    assert sorted(mark(event)["attempts"] for event in events) == [0, 1, 1]
    metrics = written(printed())
    assert metrics.keys() >= GAUGES
    assert (metrics["OutboxSize"], metrics["PostponeFailed"]) == ([3], [1])
    # The next sweep takes it again.
    assert swept(bus, clock)["published"] == 1


@pytest.mark.parametrize("not_now", NOT_NOW)
def test_an_event_that_cannot_be_redriven_does_not_stop_the_redrive(
    unique: str, clock: StoppedClock, not_now: Exception
) -> None:
    events = recorded(unique, Deposit("a", 1), Deposit("a", 2), clock=clock)
    for event in events:
        rewritten(event, attempts=MOST_ATTEMPTS, due=clock.at_ms + HOUR_MS)
    client = FailingClient(aws().dynamodb, "update_item", not_now, times=1)
    result = swept(Bus(), clock, dynamodb=client, redrive=True)
    assert (result["redriven"], result["published"], result["stuck"]) == (2, 2, 1)
    assert result["not_postponed"] == 1


def test_a_shard_that_cannot_be_read_is_counted_and_the_others_are_swept(
    unique: str, clock: StoppedClock, printed: Callable[[], list[dict[str, Any]]]
) -> None:
    for number in range(40):
        recorded(unique, account_id=f"{unique}-{number}", clock=clock)
    clock.at_ms += HOUR_MS
    throttled = error("ProvisionedThroughputExceededException", "BatchGetItem")
    client = FailingClient(aws().dynamodb, "batch_get_item", throttled, times=1)
    printed()
    result = swept(Bus(), clock, dynamodb=client)
    assert result["unread_shards"] == 1
    assert 0 < result["published"] == result["size"] < 40
    assert written(printed())["OutboxUnreadShards"] == [1]
    assert swept(Bus(), clock)["published"] == 40 - result["published"]


def test_a_shard_without_room_does_not_take_the_time_of_the_others(
    unique: str, clock: StoppedClock
) -> None:
    for number in range(40):
        recorded(unique, account_id=f"{unique}-{number}", clock=clock)
    clock.at_ms += HOUR_MS
    without_room = mark(recorded(f"{unique}-w", clock=clock)[0])["outbox"]

    class NoRoom:
        def __getattr__(self, name: str) -> Any:
            return getattr(aws().dynamodb, name)

        def batch_get_item(self, **parameters: Any) -> Any:
            answer = aws().dynamodb.batch_get_item(**parameters)
            items = [from_item(item) for item in answer["Responses"]["commands"]]
            if any(item["outbox"] == without_room for item in items):
                return {"Responses": {}, "UnprocessedKeys": parameters["RequestItems"]}
            return answer

    result = swept(Bus(), clock, dynamodb=NoRoom(), remaining_ms=50_000)
    assert result["unread_shards"] == 1
    assert result["published"] == result["size"] > 0


def test_what_dynamodb_leaves_out_of_a_batch_is_asked_for_again(
    unique: str, clock: StoppedClock
) -> None:
    recorded(unique, *[Deposit("a", n) for n in range(1, 30)], clock=clock)
    clock.at_ms += HOUR_MS

    class LittleRoom:
        def __getattr__(self, name: str) -> Any:
            return getattr(aws().dynamodb, name)

        def batch_get_item(self, **parameters: Any) -> Any:
            [(table, request)] = parameters["RequestItems"].items()
            one, rest = request["Keys"][:1], request["Keys"][1:]
            answer = aws().dynamodb.batch_get_item(RequestItems={table: request | {"Keys": one}})
            return {**answer, "UnprocessedKeys": {table: request | {"Keys": rest}} if rest else {}}

    assert swept(Bus(), clock, dynamodb=LittleRoom())["published"] == 30


def test_slow_tables_leave_time_to_publish_and_every_shard_gets_its_turn(unique: str) -> None:
    class Rotating(StoppedClock):
        sweeps = 0

        def chosen(self, least: int, most: int) -> int:
            if (least, most) != (0, outbox.SHARDS - 1):
                return least
            self.sweeps += 1
            return self.sweeps * 5 % outbox.SHARDS

    clock = Rotating()
    for number in range(40):
        recorded(unique, account_id=f"{unique}-{number}", clock=clock)
    clock.at_ms += HOUR_MS

    def slowly(_: dict[str, Any]) -> None:
        clock.at_ms += 4_000

    client = WatchedClient(aws().dynamodb, "batch_get_item", slowly)
    bus = Bus()
    first = swept(bus, clock, dynamodb=client, remaining_ms=50_000)
    assert 0 < first["published"] < 40
    assert first["unread_shards"] == outbox.SHARDS - 6
    for _ in range(3):
        swept(bus, clock, dynamodb=client, remaining_ms=50_000)
    assert len({event.account_id for event in bus.published}) == 40


def test_an_event_that_cannot_be_read_is_counted_and_put_off(
    unique: str, clock: StoppedClock, printed: Callable[[], list[dict[str, Any]]]
) -> None:
    events = recorded(unique, Deposit("a", 1), Deposit("a", 2), clock=clock)
    known = rewritten(events[0], type="AccountRenamed")
    clock.at_ms += HOUR_MS
    bus = Bus()
    printed()
    result = swept(bus, clock)
    assert (result["size"], result["unreadable"], result["published"]) == (3, 1, 2)
    assert result["oldest_age_s"] == HOUR_MS // 1_000
    assert {event.version for event in bus.published} == {2, 3}
    lines = printed()
    assert written(lines)["OutboxUnreadable"] == [1]
    [line] = [line for line in lines if line.get("message") == "unreadable event"]
    assert (line["pk"], line["sk"]) == (f"account#{unique}-a", "event#000000000001")
    assert "AccountRenamed" in line["reason"]
    assert mark(events[0])["due"] == clock.at_ms + outbox.UNREADABLE_BACKOFF_MS
    # It stays in the outbox until a version comes that knows it.
    rewritten(events[0], **known)
    assert swept(bus, clock)["unreadable"] == 0
    clock.at_ms += outbox.UNREADABLE_BACKOFF_MS
    swept(bus, clock)
    assert events[0] in bus.published


def test_metrics_are_written_whatever_happens(
    unique: str, clock: StoppedClock, printed: Callable[[], list[dict[str, Any]]]
) -> None:
    recorded(unique, clock=clock)
    clock.at_ms += HOUR_MS

    class KilledError(BaseException):
        pass

    client = FailingClient(aws().dynamodb, "update_item", KilledError())
    printed()
    with pytest.raises(KilledError):
        swept(Bus(), clock, dynamodb=client)
    killed = written(printed())
    assert killed.keys() >= GAUGES
    # Only a sweep that comes to its end says so: silence is an alarm.
    assert "Sweeps" not in killed
    swept(Bus(), clock)
    assert written(printed())["Sweeps"] == [1]


def test_a_key_that_the_index_lists_twice_is_read_once(unique: str, clock: StoppedClock) -> None:
    recorded(unique, Deposit("a", 1), clock=clock)
    clock.at_ms += HOUR_MS

    def twice(parameters: dict[str, Any]) -> None:
        [request] = parameters["RequestItems"].values()
        keys = [str(key) for key in request["Keys"]]
        # What DynamoDB does: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html
        if len(keys) > len(set(keys)):
            raise error("ValidationException", "BatchGetItem")

    class Repeating:
        def __getattr__(self, name: str) -> Any:
            return getattr(WatchedClient(aws().dynamodb, "batch_get_item", twice), name)

        def get_paginator(self, name: str) -> Any:
            real = aws().dynamodb.get_paginator(name)  # type: ignore[call-overload]

            class Pages:
                def paginate(self, **parameters: Any) -> Any:
                    pages = list(real.paginate(**parameters))
                    return [*pages, *pages]

            return Pages()

    result = swept(Bus(), clock, dynamodb=Repeating())
    assert (result["size"], result["published"], result["unread_shards"]) == (2, 2, 0)


def written(lines: list[dict[str, Any]]) -> dict[str, Any]:
    """The metrics among some lines."""
    [metrics] = [line for line in lines if "_aws" in line]
    return metrics
