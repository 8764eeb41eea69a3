"""What runs in the background ends before Lambda would end it, whoever does not answer.

Lambda's end would fail a whole batch: its healthy events would count as received in vain, and
reach the dead-letter queue in the end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ReadTimeoutError

from functions.adapters.budget import TimeIsUpError
from functions.adapters.event_codec import to_message
from functions.domain.account import Deposit
from functions.outbox_sweeper import handler as sweeping
from functions.update_processor import handler as projecting
from tests.functions.calling import LambdaContext, StoppedClock, parts, query_table_items
from tests.functions.projecting import queue_record, recorded
from tests.functions.sweeping import HOUR_MS, emptied_outbox, mark

if TYPE_CHECKING:
    from functions.adapters.runtime import Runtime

SWEEP_MS = 50_000
PROJECTION_MS = 10_000


class EndingContext(LambdaContext):
    """An invocation whose time passes by a clock of the test's."""

    def __init__(self, clock: StoppedClock, remaining_ms: int) -> None:
        super().__init__(remaining_ms)
        self._clock = clock
        self._begun_ms = clock.at_ms

    def get_remaining_time_in_millis(self) -> int:
        return self.remaining_ms - (self._clock.at_ms - self._begun_ms)


class Silent:
    """A client that is not answered: each call takes as long as the budget lets it."""

    def __init__(self, clock: StoppedClock, whole: Runtime, longest_ms: int) -> None:
        self._clock = clock
        self._budget = whole.budget
        self._longest_ms = longest_ms
        self.calls = 0

    def __getattr__(self, name: str) -> Any:
        return self if name == "get_paginator" else self._wait

    def __call__(self, _: str) -> Any:
        return self

    def _wait(self, **_: Any) -> Any:
        left_ms = min(self._longest_ms, self._budget.left_ms())
        if left_ms <= 0:
            raise TimeIsUpError
        self.calls += 1
        self._clock.at_ms += int(left_ms)
        raise ReadTimeoutError(endpoint_url="http://nobody")


def whole_with(clock: StoppedClock, **longest_ms: int) -> tuple[Runtime, dict[str, Any]]:
    """What a handler is built from where some services are silent."""
    clients: dict[str, Any] = dict.fromkeys(longest_ms)
    whole = parts(clock, clients)
    clients |= {name: Silent(clock, whole, longest) for name, longest in longest_ms.items()}
    return whole, clients


@pytest.mark.parametrize("receive_count", [1, 5])
def test_a_processor_ends_in_time_although_tables_and_queue_are_silent(
    unique: str, receive_count: int
) -> None:
    clock = StoppedClock()
    records = [
        queue_record(to_message(recorded(f"{unique}{n}", clock=clock)[0])) for n in range(10)
    ]
    for record in records:
        record["attributes"] = {"ApproximateReceiveCount": str(receive_count)}
    records.append(queue_record("poison"))
    whole, clients = whole_with(clock, dynamodb=4_000, sqs=1_000)
    context = EndingContext(clock, PROJECTION_MS)

    answer = projecting.build(whole).handle({"Records": records}, context)

    assert context.get_remaining_time_in_millis() > 0
    assert (clients["dynamodb"].calls, clients["sqs"].calls) >= (3, 1)
    # Healthy events are left to the sweeper at the last receive, and poison never is.
    assert len(answer["batchItemFailures"]) == (11 if receive_count == 1 else 1)


def test_silent_tables_do_not_keep_the_queue_from_hearing_when_to_deliver_again(
    unique: str,
) -> None:
    clock = StoppedClock()
    record = queue_record(to_message(recorded(unique, clock=clock)[0]))
    asked: list[int] = []

    class Queue:
        def change_message_visibility(self, **parameters: Any) -> None:
            if whole.budget.left_ms() <= 0:
                raise TimeIsUpError
            asked.append(parameters["VisibilityTimeout"])

    whole, clients = whole_with(clock, dynamodb=4_000)
    clients["sqs"] = Queue()
    projecting.build(whole).handle({"Records": [record]}, EndingContext(clock, PROJECTION_MS))
    assert asked == [1]


@pytest.mark.parametrize("redrive", [True, False])
def test_a_sweeper_ends_in_time_although_the_tables_are_silent(*, redrive: bool) -> None:
    clock = StoppedClock()
    whole, _ = whole_with(clock, dynamodb=8_000)
    context = EndingContext(clock, SWEEP_MS)
    result = sweeping.build(whole).handle({"redrive_stuck": redrive}, context)
    assert context.get_remaining_time_in_millis() > 0
    assert result["unread_shards"] == 16


def test_a_sweeper_ends_in_time_although_the_topic_is_silent(unique: str) -> None:
    emptied_outbox()
    clock = StoppedClock()
    events = recorded(unique, *[Deposit("a", n) for n in range(1, 60)], clock=clock)
    clock.at_ms += HOUR_MS
    whole, _ = whole_with(clock, sns=1_000)
    context = EndingContext(clock, SWEEP_MS)
    result = sweeping.build(whole).handle({}, context)
    assert context.get_remaining_time_in_millis() > 0
    assert result["published"] == 0
    # Those that were tried come behind the others in the next sweep.
    put_off = [event for event in events if mark(event)["due"] > event.recorded_at + HOUR_MS]
    assert len(put_off) == result["not_published"] < len(events)


def test_what_is_left_of_the_time_begins_no_turn_that_would_be_cut_off(unique: str) -> None:
    clock = StoppedClock()
    (event,) = recorded(unique, clock=clock)
    processor = projecting.build(parts(clock))
    records = [queue_record(to_message(event))]
    answer = processor.handle({"Records": records}, EndingContext(clock, 1_600))
    assert len(answer["batchItemFailures"]) == 1
    assert query_table_items(f"account#{event.account_id}") == []
