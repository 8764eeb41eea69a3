"""Histories in which messages were lost, counted wrongly, or tried too often."""

from __future__ import annotations

from tests.invariants.breaking import A0, Case, change, copy, drop, empty, every

_LATE_MS = 2_000_000_000_000
_POISON = {"message_id": "m5"}

CASES = [
    Case(
        "I12",
        "injected poison is not in the dead-letter queue",
        drop("dead_letters", **_POISON),
    ),
    Case(
        "I12",
        "injected poison is not in the dead-letter queue",
        # A body that names an event is known by it.
        change("faults", {"fault": "poison"}, message_id=None, event_id="no event"),
    ),
    Case(
        "I12",
        "one message is several times in the dead-letter queue",
        copy("dead_letters", _POISON),
    ),
    Case(
        "I12",
        "a healthy event ended as a dead letter",
        change("events", {"event_id": "e9"}, projected_at_ms=None),
    ),
    Case(
        "I12",
        "a dead letter says something else than its deliveries did",
        change("dead_letters", _POISON, aggregate=A0),
    ),
    Case(
        "I12",
        "a dead letter says something else than its deliveries did",
        change("dead_letters", _POISON, receive_count=4),
    ),
    Case(
        "I12",
        "while poison went round, more than one event in a hundred was later than the bound",
        every(
            change("faults", {"fault": "poison"}, end_ns=None),
            change("events", {"event_id": "e20"}, projected_at_ms=_LATE_MS),
        ),
    ),
    Case(
        "I12",
        "a dead letter that is nobody's poison, and of no event of the log",
        change("dead_letters", {"event_id": "e9"}, event_id="no event"),
    ),
    Case(
        "I13",
        "a delivery with several outcomes",
        copy("deliveries", {"message_id": "m1"}, outcome="duplicate"),
    ),
    Case(
        "I13",
        "a message without an outcome, in an invocation that ended",
        drop("deliveries", message_id="m5", receive_count=1),
    ),
    Case(
        "I13",
        "an outcome of a message that no invocation was given",
        drop("invocations", **_POISON),
    ),
    Case(
        "I13",
        "projected several times, by the log of the processor",
        change("deliveries", {"event_id": "e7"}, outcome="applied"),
    ),
    Case(
        "I13",
        "said to be projected, and not by the log",
        change("events", {"event_id": "e4"}, projected_at_ms=None),
    ),
    Case("I13", "said to be projected, and not by the log", drop("events", event_id="e4")),
    Case(
        "I13",
        "projected, and no delivery says so",
        change("deliveries", {"event_id": "e4"}, outcome="duplicate"),
    ),
    Case(
        "I13",
        "an outcome of an event that the log does not have so",
        change("deliveries", {"event_id": "e4"}, event_id="e3"),
    ),
    Case(
        "I13",
        "an outcome of an event that the log does not have so",
        change("deliveries", {"event_id": "e4"}, outcome="dealt with"),
    ),
    Case(
        "I13",
        "healed by a delivery that is not of a later version of the account",
        change("healed", {"version": 4}, version=5),
    ),
    Case(
        "I15",
        "an event of the time of the throttle is not projected",
        change("events", {"event_id": "e5"}, projected_at_ms=None),
    ),
    Case(
        "I15",
        "a message was delivered more often than the queue allows",
        change("deliveries", {"event_id": "e4"}, receive_count=7),
    ),
    Case(
        "I15",
        "the lag did not come back: more than one event in a hundred is later than the bound",
        change("events", {"event_id": "e20"}, projected_at_ms=_LATE_MS),
    ),
    Case(
        "I15",
        "the lag did not come back: more than one event in a hundred is later than the bound",
        change("events", {"event_id": "e20"}, projected_at_ms=None),
    ),
]

TOO_LITTLE = [
    Case("I12", "injected poison", empty("faults", "dead_letters")),
    Case("I12", "bounds of lag", drop("settings", name="lag_bound_ms")),
    Case("I13", "deliveries", empty("deliveries", "invocations", "healed", "events")),
    Case("I15", "throttles that ended", empty("faults")),
    Case("I15", "throttles that ended", change("faults", {"fault": "throttled"}, end_ns=None)),
    Case("I15", "bounds", drop("settings", name="most_receives")),
    Case(
        "I15",
        "events recorded after the throttle",
        change("settings", {"name": "recovery_ms"}, value=600),
    ),
]
DOUBTS: list[Case] = []
