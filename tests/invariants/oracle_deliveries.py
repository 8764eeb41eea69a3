"""The oracle's view of the way between the sides: messages, what became of them, and faults."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.invariants.finding import (
    NS_PER_MS,
    Finding,
    grouped,
    has_twins,
    is_views_only,
    setting,
)

if TYPE_CHECKING:
    from tests.invariants.bank import Row
    from tests.invariants.recorded import Tables

_EVENT = ("event_id", "aggregate", "version")
_PLACE = ("aggregate", "version")
_GIVEN = ("request_id", "message_id")


def poison_isolated(tables: Tables) -> Finding:
    letters = tables["dead_letters"]
    injected = [
        fault
        for fault in tables["faults"]
        if fault["fault"] == "poison" and (fault["message_id"] or fault["event_id"]) is not None
    ]
    return Finding(
        is_violated=(
            any(not any(_is_of(letter, fault) for letter in letters) for fault in injected)
            or has_twins(letters, "message_id")
            or any(_was_healthy(tables, letter, injected) for letter in letters)
            or any(_is_nobodys(tables, letter, injected) for letter in letters)
            or any(_tells_otherwise(tables, letter) for letter in letters)
            or _poison_held_up_others(tables)
        ),
        is_enough=bool(injected) and bool(setting(tables, "lag_bound_ms")),
    )


def _is_of(letter: Row, poison: Row) -> bool:
    if poison["message_id"] is not None:
        return bool(letter["message_id"] == poison["message_id"])
    return bool(letter["event_id"] == poison["event_id"])


def _was_healthy(tables: Tables, letter: Row, injected: list[Row]) -> bool:
    """Whether a dead letter is an event that was never projected, and nobody's poison."""
    is_lost = any(
        event["projected_at_ms"] is None and all(event[name] == letter[name] for name in _EVENT)
        for event in tables["events"]
    )
    return is_lost and not any(f["message_id"] == letter["message_id"] for f in injected)


def _is_nobodys(tables: Tables, letter: Row, injected: list[Row]) -> bool:
    """Whether a dead letter is neither poison nor an event."""
    is_poison = any(
        fault[name] is not None and fault[name] == letter[name]
        for fault in injected
        for name in ("message_id", "event_id")
    )
    return not is_poison and not any(
        all(event[name] == letter[name] for name in _EVENT) for event in tables["events"]
    )


def _tells_otherwise(tables: Tables, letter: Row) -> bool:
    return any(
        any(delivery[name] != letter[name] for name in _EVENT)
        or (delivery["receive_count"] or 0) > letter["receive_count"]
        for delivery in tables["deliveries"]
        if delivery["message_id"] == letter["message_id"]
    )


def _poison_held_up_others(tables: Tables) -> bool:
    poison = [fault for fault in tables["faults"] if fault["fault"] == "poison"]
    others = [fault for fault in tables["faults"] if fault["fault"] != "poison"]
    if not poison:
        return False
    start_ns = min(fault["start_ns"] for fault in poison)
    ends = [fault["end_ns"] for fault in poison]
    events = [
        event
        for event in tables["events"]
        if start_ns <= event["recorded_at_ms"] * NS_PER_MS
        and (None in ends or event["recorded_at_ms"] * NS_PER_MS <= max(ends))
        and event["aggregate"] not in {fault["aggregate"] for fault in poison}
        and not any(_was_under_way_in(event, fault) for fault in others)
    ]
    return _are_late(events, setting(tables, "lag_bound_ms"))


def _was_under_way_in(event: Row, fault: Row) -> bool:
    """Whether a fault was there at some time between an event and its projection."""
    projected_ms = event["projected_at_ms"]
    began = projected_ms is None or fault["start_ns"] <= projected_ms * NS_PER_MS
    had_ended = (
        fault["end_ns"] is not None and fault["end_ns"] < event["recorded_at_ms"] * NS_PER_MS
    )
    return began and not had_ended


def _are_late(events: list[Row], bounds: list[int]) -> bool:
    """Whether more than one event in a hundred was projected later than a bound, or never."""
    judged = [(event, bound) for event in events for bound in bounds]
    late = [
        event
        for event, bound in judged
        if event["projected_at_ms"] is None
        or event["projected_at_ms"] - event["recorded_at_ms"] > bound
    ]
    return len(late) * 100 > len(judged)


def conservation(tables: Tables) -> Finding:
    deliveries, healed = tables["deliveries"], tables["healed"]
    given = grouped(tables["invocations"], *_GIVEN)
    ended = grouped(deliveries, *_GIVEN)
    log = grouped(tables["events"], *_PLACE)
    projected = [row for row in tables["events"] if row["projected_at_ms"] is not None]
    projecting = [*(row for row in deliveries if row["outcome"] == "applied"), *healed]
    by_place = grouped(projecting, *_PLACE)
    return Finding(
        is_violated=(
            has_twins(deliveries, *_GIVEN)
            or any(row["ended"] for key, rows in given.items() for row in rows if key not in ended)
            or any(key not in given for key in ended)
            or has_twins(projecting, *_PLACE)
            or any(
                all(event["projected_at_ms"] is None for event in log.get(place, []))
                for place in by_place
            )
            or any(
                (event["aggregate"], event["version"]) not in by_place
                and not _may_be_unsaid(tables, event)
                for event in projected
            )
            or any(not _is_outcome_of_event(log, row) for row in deliveries)
            or any(not _is_healed_rightly(ended, row) for row in healed)
        ),
        is_enough=bool(deliveries),
    )


def _may_be_unsaid(tables: Tables, event: Row) -> bool:
    """Whether an event may have been projected by what could not say so."""
    if is_views_only(tables):
        return True
    silent = {row["message_id"] for row in tables["invocations"] if not row["ended"]}
    if silent - {row["message_id"] for row in tables["deliveries"]}:
        return True  # nobody knows what those messages were
    return any(
        (row["ambiguous"] or row["message_id"] in silent)
        and row["aggregate"] == event["aggregate"]
        and row["version"] >= event["version"]
        for row in tables["deliveries"]
        if row["version"] is not None
    )


def _is_outcome_of_event(log: dict[tuple[str, int], list[Row]], delivery: Row) -> bool:
    if delivery["outcome"] == "failed":
        return True
    events = log.get((delivery["aggregate"], delivery["version"]), [])
    return (
        delivery["outcome"] in ("applied", "duplicate")
        and delivery["attempts"] >= 1
        and any(event["event_id"] == delivery["event_id"] for event in events)
    )


def _is_healed_rightly(ended: dict[tuple[str, str], list[Row]], healed: Row) -> bool:
    return any(
        delivery["aggregate"] == healed["aggregate"]
        and delivery["version"] is not None
        and delivery["version"] > healed["version"]
        for delivery in ended.get((healed["request_id"], healed["message_id"]), [])
    )


def graceful_under_throttling(tables: Tables) -> Finding:
    throttles = [fault for fault in tables["faults"] if fault["fault"] == "throttled"]
    have_ended = all(fault["end_ns"] is not None for fault in throttles)
    after = _recorded_after(tables, throttles)
    bounds = setting(tables, "lag_bound_ms")
    most = setting(tables, "most_receives")
    is_lost = any(
        event["projected_at_ms"] is None and _was_recorded_in(event, fault)
        for event in tables["events"]
        for fault in throttles
    )
    was_tried_too_often = any(
        (row["receive_count"] or 0) > bound for row in tables["deliveries"] for bound in most
    )
    named = [*bounds, *most, *setting(tables, "recovery_ms")]
    return Finding(
        is_violated=is_lost or was_tried_too_often or (have_ended and _are_late(after, bounds)),
        is_enough=bool(throttles) and have_ended and len(named) >= 3 and len(after) >= 20,
    )


def _was_recorded_in(event: Row, fault: Row) -> bool:
    at_ns = event["recorded_at_ms"] * NS_PER_MS
    return bool(
        at_ns >= fault["start_ns"] and (fault["end_ns"] is None or at_ns <= fault["end_ns"])
    )


def _recorded_after(tables: Tables, throttles: list[Row]) -> list[Row]:
    """The events that were recorded once the last throttle had ended and was recovered from."""
    ends = [fault["end_ns"] for fault in throttles if fault["end_ns"] is not None]
    return [
        event
        for event in tables["events"]
        for recovery_ms in setting(tables, "recovery_ms")
        if ends and event["recorded_at_ms"] * NS_PER_MS > recovery_ms * NS_PER_MS + max(ends)
    ]
