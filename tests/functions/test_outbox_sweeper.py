"""The Outbox Sweeper against the embedded target, each test with an outbox of its own."""

from __future__ import annotations

import pytest

from functions.adapters import outbox
from functions.adapters.outbox import MOST_ATTEMPTS, Key, Outbox
from functions.domain.account import Deposit, Event
from tests.functions.calling import StoppedClock
from tests.functions.projecting import deliver, recorded
from tests.functions.sweeping import HOUR_MS, Bus, emptied_outbox, mark, outbox_of, swept


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


@pytest.fixture(autouse=True)
def _empty_outbox() -> None:
    emptied_outbox()


def test_an_event_on_its_way_is_left_alone(unique: str, clock: StoppedClock) -> None:
    recorded(unique, clock=clock)
    clock.at_ms += outbox.THRESHOLD_MS - 1_000
    bus = Bus()
    result = swept(bus, clock)
    assert bus.published == []
    assert (result["size"], result["stuck"], result["published"]) == (1, 0, 0)
    assert result["oldest_age_s"] == outbox.THRESHOLD_MS // 1_000 - 1


def test_a_lost_event_is_published_again_and_put_off(unique: str, clock: StoppedClock) -> None:
    (event,) = recorded(unique, clock=clock)
    clock.at_ms += outbox.THRESHOLD_MS
    bus = Bus()
    assert swept(bus, clock)["published"] == 1
    assert bus.published == [event]
    assert mark(event)["attempts"] == 1
    assert mark(event)["due"] == clock.at_ms + outbox.backoff_ms(1)
    assert swept(bus, clock)["published"] == 0


def test_a_projected_event_is_skipped_although_the_index_still_lists_it(
    unique: str, clock: StoppedClock
) -> None:
    events = recorded(unique, Deposit("a", 1), clock=clock)

    class Stale(Outbox):
        def _keys(self, shard: int, most: int) -> list[Key]:
            del most
            return listed[shard]

    listed = [outbox_of(clock)._keys(shard, 100) for shard in range(outbox.SHARDS)]
    deliver(*events)
    clock.at_ms += HOUR_MS
    bus = Bus()
    assert not any(swept(bus, clock, box=outbox_of(clock, kind=Stale)).values())
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


def test_a_stuck_event_is_counted_and_published_once_an_hour(
    unique: str, clock: StoppedClock
) -> None:
    (event,) = recorded(unique, clock=clock)
    bus = Bus()
    for _ in range(MOST_ATTEMPTS):
        clock.at_ms += HOUR_MS
        result = swept(bus, clock)
    assert (result["size"], result["stuck"]) == (1, 0)
    assert (mark(event)["attempts"], mark(event)["due"]) == (MOST_ATTEMPTS, clock.at_ms + HOUR_MS)
    for _ in range(60):
        clock.at_ms += 60_000
        result = swept(bus, clock)
    assert (result["size"], result["stuck"], result["published"]) == (1, 1, 1)
    assert result["oldest_age_s"] == (MOST_ATTEMPTS + 1) * HOUR_MS // 1_000
    assert len(bus.published) == MOST_ATTEMPTS + 1


def test_a_redrive_publishes_what_is_stuck_at_once(unique: str, clock: StoppedClock) -> None:
    events = recorded(unique, Deposit("a", 1), clock=clock)
    bus = Bus()
    for _ in range(MOST_ATTEMPTS + 1):
        clock.at_ms += HOUR_MS
        result = swept(bus, clock)
    bus.published.clear()
    result = swept(bus, clock, redrive=True)
    assert (result["redriven"], result["published"], result["stuck"]) == (2, 2, 0)
    assert len(bus.published) == len(events)
    assert [mark(event)["attempts"] for event in events] == [1, 1]


def test_a_redrive_leaves_alone_what_is_on_its_way(unique: str, clock: StoppedClock) -> None:
    recorded(unique, clock=clock)
    result = swept(Bus(), clock, redrive=True)
    assert (result["size"], result["redriven"], result["published"]) == (1, 0, 0)


def test_one_event_that_cannot_be_published_does_not_starve_the_rest(
    unique: str, clock: StoppedClock
) -> None:
    events = recorded(unique, Deposit("a", 1), Deposit("a", 2), clock=clock)
    bus = Bus()
    bus.refused = {events[0].event_id}
    clock.at_ms += HOUR_MS
    result = swept(bus, clock)
    assert (result["published"], result["not_published"]) == (2, 1)
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
    assert swept(bus, clock, remaining_ms=7_500)["published"] == 3
    clock.at_ms += 1_000
    swept(bus, clock)
    assert {event.version for event in bus.published} == {event.version for event in events}
    assert len(bus.published) == len(events)


def test_many_shards_and_pages_are_read(unique: str, clock: StoppedClock) -> None:
    for number in range(130):
        recorded(unique, account_id=f"{unique}-{number}", clock=clock)
    clock.at_ms += HOUR_MS
    bus = Bus()
    assert swept(bus, clock)["published"] == 130
    assert len({event.account_id for event in bus.published}) == 130
