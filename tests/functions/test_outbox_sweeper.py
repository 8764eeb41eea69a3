"""The Outbox Sweeper against the embedded target, each test with tables of its own."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from functions.adapters import clock, outbox, runtime
from functions.adapters.event_bus import EventBus
from functions.adapters.outbox import MOST_ATTEMPTS, NEVER, Outbox
from functions.domain.account import Deposit, Event
from functions.outbox_sweeper import handler
from functions.outbox_sweeper.sweep import Sweep, sweep
from tests.functions.calling import LambdaContext, command_table_items
from tests.functions.projecting import deliver, recorded

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


class Time:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now_ms = clock.now_ms()
        monkeypatch.setattr(clock, "now_ms", lambda: self.now_ms)


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    return Time(monkeypatch)


@pytest.fixture(autouse=True)
def _empty_outbox() -> None:
    """Acknowledge what other tests left unprojected."""
    box = Outbox(runtime.dynamodb(), "commands")
    for entry in box.unprojected(most_per_shard=10_000):
        runtime.dynamodb().update_item(
            TableName="commands",
            Key={
                "pk": {"S": f"account#{entry.event.account_id}"},
                "sk": {"S": f"event#{entry.event.version:012d}"},
            },
            UpdateExpression="REMOVE outbox, due, attempts",
        )


def swept(bus: Bus, *, deadline_ms: int | None = None) -> Sweep:
    return sweep(
        Outbox(runtime.dynamodb(), "commands"),
        bus,
        trace=None,
        deadline_ms=clock.now_ms() + HOUR_MS if deadline_ms is None else deadline_ms,
    )


def mark(event: Event) -> dict[str, Any]:
    items = command_table_items(event.account_id)
    return next(item for item in items if item["sk"] == f"event#{event.version:012d}")


def test_an_event_on_its_way_is_left_alone(unique: str, time: Time) -> None:
    recorded(unique)
    time.now_ms += outbox.THRESHOLD_MS - 1_000
    bus = Bus()
    result = swept(bus)
    assert bus.published == []
    assert (result.size, result.stuck, result.published) == (1, 0, 0)
    assert result.oldest_age_ms == pytest.approx(outbox.THRESHOLD_MS - 1_000, abs=50)


def test_a_lost_event_is_published_again_and_put_off(unique: str, time: Time) -> None:
    (event,) = recorded(unique)
    time.now_ms += outbox.THRESHOLD_MS
    bus = Bus()
    assert swept(bus).published == 1
    assert bus.published == [event]
    assert mark(event)["attempts"] == 1
    assert mark(event)["due"] == time.now_ms + outbox.backoff_ms(1)
    assert swept(bus).published == 0


def test_a_projected_event_is_skipped_although_the_index_still_lists_it(
    unique: str, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = recorded(unique, Deposit("a", 1))
    stale = Outbox(runtime.dynamodb(), "commands")._keys
    listed = [stale(shard, 0, 100) for shard in range(outbox.SHARDS)]
    deliver(*events)
    time.now_ms += HOUR_MS
    monkeypatch.setattr(Outbox, "_keys", lambda _, shard, *__: listed[shard])
    bus = Bus()
    assert swept(bus) == Sweep(0, 0, 0, 0, 0)
    assert bus.published == []


def test_an_acknowledgement_during_the_sweep_is_not_undone(unique: str, time: Time) -> None:
    (event,) = recorded(unique)
    time.now_ms += HOUR_MS

    class Racing(Bus):
        def publish(self, event: Event, *, trace: str | None) -> None:
            super().publish(event, trace=trace)
            deliver(event)

    swept(Racing())
    assert not {"outbox", "due", "attempts"} & mark(event).keys()


def test_an_hour_of_outage_makes_a_handful_of_copies(unique: str, time: Time) -> None:
    recorded(unique)
    bus = Bus()
    for _ in range(60):
        time.now_ms += 60_000
        swept(bus)
    assert 3 <= len(bus.published) <= 9


def test_a_stuck_event_is_counted_and_no_longer_published_until_a_redrive(
    unique: str, time: Time
) -> None:
    (event,) = recorded(unique)
    bus = Bus()
    for _ in range(2 * MOST_ATTEMPTS):
        time.now_ms += HOUR_MS
        result = swept(bus)
    assert len(bus.published) == MOST_ATTEMPTS
    assert (result.size, result.stuck) == (1, 1)
    assert (mark(event)["attempts"], mark(event)["due"]) == (MOST_ATTEMPTS, NEVER)
    assert result.oldest_age_ms >= 2 * MOST_ATTEMPTS * HOUR_MS
    report = handler.handle({"redrive_stuck": True}, LambdaContext())
    assert (report["redriven"], report["published"], report["stuck"]) == (1, 1, 0)
    assert mark(event)["attempts"] == 1


def test_one_event_that_cannot_be_published_does_not_starve_the_rest(
    unique: str, time: Time
) -> None:
    events = recorded(unique, Deposit("a", 1), Deposit("a", 2))
    bus = Bus()
    bus.refused = {events[0].event_id}
    time.now_ms += HOUR_MS
    result = swept(bus)
    assert (result.published, result.not_published) == (2, 1)
    assert mark(events[0])["attempts"] == 0
    assert mark(events[0])["due"] > time.now_ms
    bus.refused.clear()
    time.now_ms += HOUR_MS
    swept(bus)
    assert events[0] in bus.published


def test_what_the_deadline_cut_off_comes_first_in_the_next_sweep(unique: str, time: Time) -> None:
    events = recorded(unique, *[Deposit("a", n) for n in range(1, 6)])
    time.now_ms += HOUR_MS

    class Slow(Bus):
        def publish(self, event: Event, *, trace: str | None) -> None:
            super().publish(event, trace=trace)
            time.now_ms += 1_000

    bus = Slow()
    assert swept(bus, deadline_ms=time.now_ms + 2_500).published == 3
    time.now_ms += 1_000
    swept(bus)
    assert {event.version for event in bus.published} == {event.version for event in events}
    assert len(bus.published) == len(events)


def test_many_shards_and_pages_are_read(unique: str, time: Time) -> None:
    for number in range(130):
        recorded(unique, account_id=f"{unique}-{number}")
    time.now_ms += HOUR_MS
    bus = Bus()
    assert swept(bus).published == 130
    assert len({event.account_id for event in bus.published}) == 130
