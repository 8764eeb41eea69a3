"""What the Outbox Sweeper does when tables, topic, log or time fail it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from functions.adapters import outbox
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


def test_what_has_no_room_for_ever_ends_with_the_time(unique: str, clock: StoppedClock) -> None:
    recorded(unique, clock=clock)
    clock.at_ms += HOUR_MS
    begun_ms = clock.at_ms

    class NoRoom:
        def __getattr__(self, name: str) -> Any:
            return getattr(aws().dynamodb, name)

        def batch_get_item(self, **parameters: Any) -> Any:
            return {"Responses": {}, "UnprocessedKeys": parameters["RequestItems"]}

    result = swept(Bus(), clock, dynamodb=NoRoom(), remaining_ms=50_000)
    assert (result["size"], result["unread_shards"]) == (0, 1)
    assert clock.at_ms - begun_ms < 50_000


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
    assert written(printed()).keys() >= GAUGES


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
