"""The Outbox Sweeper against the embedded target, each test with tables of its own."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from functions.adapters import outbox
from functions.adapters.event_bus import EventBus
from functions.adapters.outbox import MOST_ATTEMPTS, NEVER, Outbox
from functions.domain.account import Deposit, Event
from functions.outbox_sweeper.handler import Environment, build
from functions.outbox_sweeper.sweep import Sweep, Sweeper
from tests.functions.calling import (
    LambdaContext,
    StoppedClock,
    aws,
    command_table_items,
    parts,
)
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


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


@pytest.fixture(autouse=True)
def _empty_outbox() -> None:
    """Acknowledge what other tests left unprojected."""
    box = Outbox(aws().dynamodb, "commands", StoppedClock())
    for entry in box.unprojected(most_per_shard=10_000):
        aws().dynamodb.update_item(
            TableName="commands",
            Key={
                "pk": {"S": f"account#{entry.event.account_id}"},
                "sk": {"S": f"event#{entry.event.version:012d}"},
            },
            UpdateExpression="REMOVE outbox, due, attempts",
        )


def swept(
    bus: Bus, clock: StoppedClock, *, remaining_ms: int = HOUR_MS, outbox: Outbox | None = None
) -> Sweep:
    whole = parts(clock)
    telemetry = whole.telemetry(whole.environment(Environment))
    whole.budget.begin(LambdaContext(remaining_ms), spare_ms=0)
    box = outbox or Outbox(aws().dynamodb, "commands", clock)
    return Sweeper(box, bus, clock, whole.budget, telemetry).sweep()


def mark(event: Event) -> dict[str, Any]:
    items = command_table_items(event.account_id)
    return next(item for item in items if item["sk"] == f"event#{event.version:012d}")


def test_an_event_on_its_way_is_left_alone(unique: str, clock: StoppedClock) -> None:
    recorded(unique, clock=clock)
    clock.at_ms += outbox.THRESHOLD_MS - 1_000
    bus = Bus()
    result = swept(bus, clock)
    assert bus.published == []
    assert (result.size, result.stuck, result.published) == (1, 0, 0)
    assert result.oldest_age_ms == pytest.approx(outbox.THRESHOLD_MS - 1_000, abs=50)


def test_a_lost_event_is_published_again_and_put_off(unique: str, clock: StoppedClock) -> None:
    (event,) = recorded(unique, clock=clock)
    clock.at_ms += outbox.THRESHOLD_MS
    bus = Bus()
    assert swept(bus, clock).published == 1
    assert bus.published == [event]
    assert mark(event)["attempts"] == 1
    assert mark(event)["due"] == clock.at_ms + outbox.backoff_ms(1)
    assert swept(bus, clock).published == 0


def test_a_projected_event_is_skipped_although_the_index_still_lists_it(
    unique: str, clock: StoppedClock
) -> None:
    events = recorded(unique, Deposit("a", 1), clock=clock)

    class Stale(Outbox):
        def _keys(self, shard: int, due_from: int, most: int) -> list[dict[str, str]]:
            del due_from, most
            return listed[shard]

    box = Outbox(aws().dynamodb, "commands", clock)
    listed = [box._keys(shard, 0, 100) for shard in range(outbox.SHARDS)]
    deliver(*events)
    clock.at_ms += HOUR_MS
    bus = Bus()
    stale = Stale(aws().dynamodb, "commands", clock)
    assert swept(bus, clock, outbox=stale) == Sweep(0, 0, 0, 0, 0)
    assert bus.published == []


def test_an_acknowledgement_during_the_sweep_is_not_undone(
    unique: str, clock: StoppedClock
) -> None:
    (event,) = recorded(unique, clock=clock)
    clock.at_ms += HOUR_MS

    class Racing(Bus):
        def publish(self, event: Event, *, trace: str | None) -> None:
            super().publish(event, trace=trace)
            deliver(event)

    swept(Racing(), clock)
    assert not {"outbox", "due", "attempts"} & mark(event).keys()


def test_an_hour_of_outage_makes_a_handful_of_copies(unique: str, clock: StoppedClock) -> None:
    recorded(unique, clock=clock)
    bus = Bus()
    for _ in range(60):
        clock.at_ms += 60_000
        swept(bus, clock)
    assert 3 <= len(bus.published) <= 9


def test_a_stuck_event_is_counted_and_no_longer_published_until_a_redrive(
    unique: str, clock: StoppedClock
) -> None:
    (event,) = recorded(unique, clock=clock)
    bus = Bus()
    for _ in range(2 * MOST_ATTEMPTS):
        clock.at_ms += HOUR_MS
        result = swept(bus, clock)
    assert len(bus.published) == MOST_ATTEMPTS
    assert (result.size, result.stuck) == (1, 1)
    assert (mark(event)["attempts"], mark(event)["due"]) == (MOST_ATTEMPTS, NEVER)
    assert result.oldest_age_ms >= 2 * MOST_ATTEMPTS * HOUR_MS
    report = build(parts(clock)).handle({"redrive_stuck": True}, LambdaContext())
    assert (report["redriven"], report["published"], report["stuck"]) == (1, 1, 0)
    assert mark(event)["attempts"] == 1


def test_one_event_that_cannot_be_published_does_not_starve_the_rest(
    unique: str, clock: StoppedClock
) -> None:
    events = recorded(unique, Deposit("a", 1), Deposit("a", 2), clock=clock)
    bus = Bus()
    bus.refused = {events[0].event_id}
    clock.at_ms += HOUR_MS
    result = swept(bus, clock)
    assert (result.published, result.not_published) == (2, 1)
    assert mark(events[0])["attempts"] == 0
    assert mark(events[0])["due"] > clock.at_ms
    bus.refused.clear()
    clock.at_ms += HOUR_MS
    swept(bus, clock)
    assert events[0] in bus.published


def test_what_the_deadline_cut_off_comes_first_in_the_next_sweep(
    unique: str, clock: StoppedClock
) -> None:
    events = recorded(unique, *[Deposit("a", n) for n in range(1, 6)], clock=clock)
    clock.at_ms += HOUR_MS

    class Slow(Bus):
        def publish(self, event: Event, *, trace: str | None) -> None:
            super().publish(event, trace=trace)
            clock.at_ms += 1_000

    bus = Slow()
    assert swept(bus, clock, remaining_ms=2_500).published == 3
    clock.at_ms += 1_000
    swept(bus, clock)
    assert {event.version for event in bus.published} == {event.version for event in events}
    assert len(bus.published) == len(events)


def test_many_shards_and_pages_are_read(unique: str, clock: StoppedClock) -> None:
    for number in range(130):
        recorded(unique, account_id=f"{unique}-{number}", clock=clock)
    clock.at_ms += HOUR_MS
    bus = Bus()
    assert swept(bus, clock).published == 130
    assert len({event.account_id for event in bus.published}) == 130
