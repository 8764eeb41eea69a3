"""Histories that look wrong at first, and are what a system that is right may leave."""

from __future__ import annotations

from tests.invariants.breaking import (
    A0,
    A1,
    W0,
    W1,
    Case,
    change,
    change_all,
    copy,
    drop,
    every,
)

_DAY_NS = 24 * 3600 * 1_000_000_000
_NOW_NS = 1_767_225_600_000_000_000
_LATER = dict.fromkeys(("intended_ns", "start_ns", "end_ns"), _NOW_NS + _DAY_NS + 3600 * 10**9)
_LATER_MS = _LATER["start_ns"] // 1_000_000
_E9 = {"event_id": "e9"}

_AGAIN_A_DAY_LATER = every(
    copy("ops", _E9, event_id="next", version=7, seq=99, **_LATER),
    copy("events", _E9, event_id="next", version=7, recorded_at_ms=_LATER_MS),
)

SOUND = [
    Case("I1", "a key is used for a new command a day after its event", _AGAIN_A_DAY_LATER),
    Case("I10", "a key is used for a new command a day after its event", _AGAIN_A_DAY_LATER),
    Case("I11", "a key is used for a new command a day after its event", _AGAIN_A_DAY_LATER),
    Case(
        "I11",
        "the gateway refuses a retry, which says nothing of what the handler would do",
        change("ops", {"event_id": "e12", "replayed": True}, outcome="fail", status=403,
               event_id=None, replayed=False),
    ),
    Case(
        "I11",
        "an answer repeats one whose recorder was killed",
        every(
            change("ops", {"event_id": "e5"}, replayed=True),
            change("writers", {"writer": W0}, closed=False),
        ),
    ),
    Case(
        "I1",
        "a command without an answer did not happen",
        every(
            drop("events", key=f"{W1}.c2.17"),
            change("ops", {"key": f"{W1}.c2.17"}, effect_digest=1),
        ),
    ),
    Case(
        "I8",
        "a page of the log is right although an older event is missing",
        every(
            drop("events", aggregate=A0, version=1),
            drop("page_reads", aggregate=A0, last_version=1),
        ),
    ),
    Case(
        "I9",
        "one read is written down twice",
        copy("account_reads", {"aggregate": A1, "token": 6}),
    ),
    Case(
        "I12",
        "poison that names an event is known by it",
        every(
            change("faults", {"fault": "poison"}, message_id=None, event_id="none of the log"),
            change("dead_letters", {"message_id": "m5"}, event_id="none of the log"),
            change_all("deliveries", {"message_id": "m5"}, event_id="none of the log"),
        ),
    ),
    Case(
        "I12",
        "what another fault held up is not held against poison",
        every(
            change("faults", {"fault": "throttled"}, end_ns=None),
            change("events", {"event_id": "e6"}, projected_at_ms=2_000_000_000_000),
        ),
    ),
    Case(
        "I13",
        "an invocation that was cut off may have projected what its message carries",
        every(
            change("invocations", {"message_id": "m3"}, ended=False),
            change("deliveries", {"event_id": "e3"}, outcome="duplicate"),
        ),
    ),
]  # fmt: skip
