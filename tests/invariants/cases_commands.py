"""Histories in which what was told of a command is not so."""

from __future__ import annotations

from tests.invariants.breaking import (
    A1,
    A3,
    O0,
    W0,
    W1,
    Case,
    change,
    change_all,
    copy,
    drop,
    empty,
    every,
)

_FIRST = {"event_id": "e1"}
_LOST = {"key": f"{W1}.c2.17"}  # a withdrawal in the log, of which nobody was told
_PINNED = {"status": 412, "expected_version": 1}
_RETRY = {"event_id": "e12", "replayed": True}
_REFUSED = {"payload_hash": f"deposit/{A1}/60/"}
_DAY_NS = 24 * 3600 * 1_000_000_000

CASES = [
    Case("I1", "accepted, and not in the log", drop("events", **_FIRST)),
    Case(
        "I1",
        "one command, several events",
        copy("events", {"event_id": "e11"}, version=9, event_id="once more"),
    ),
    Case(
        "I1",
        "refused, and yet in the log",
        change("ops", _FIRST, outcome="fail", status=409, event_id=None),
    ),
    Case(
        "I1",
        "the log has another event than was answered",
        change("ops", {"event_id": "e5"}, event_id="e6"),
    ),
    Case(
        "I1",
        "the log has another event than was answered",
        change("ops", {"event_id": "e5"}, aggregate=A3),
    ),
    Case("I1", "the event does not do what was asked", change("ops", _FIRST, effect_digest=1)),
    Case(
        "I1",
        "the event of a command without an answer does not do what was asked",
        change("ops", _LOST, effect_digest=1),
    ),
    Case(
        "I3",
        "an event that no command of this run asked for",
        change("events", {"event_id": "e11"}, key=f"{W0}.c0.99"),
    ),
    Case(
        "I3",
        "a statement line without an event",
        copy("lines", {"aggregate": A3}, version=2),
    ),
    Case(
        "I3",
        "an account at a version that the log does not have",
        change("accounts", {"aggregate": A3}, version=2),
    ),
    Case(
        "I3",
        "a head at a version that the log does not have",
        change("heads", {"aggregate": A3}, version=2),
    ),
    Case(
        "I3",
        "a kept answer for an event that the log does not have",
        change("commands", _FIRST, version=2),
    ),
    Case(
        "I3",
        "totals of an owner without events",
        copy("totals", {"owner": O0}, owner="nobody"),
    ),
    Case(
        "I10",
        "several commands pinned to one version committed",
        change("ops", {"event_id": "e13"}, expected_version=1),
    ),
    Case(
        "I10",
        "several commands pinned to one version committed",
        # Nobody was told of the second: it is known from the log.
        change("ops", _LOST, expected_version=1),
    ),
    Case(
        "I10",
        "a pinned command committed as another version than the next",
        change("ops", _LOST, expected_version=5),
    ),
    Case(
        "I10",
        "told that the version had moved, and it had not",
        change("ops", _PINNED, aggregate=A3),
    ),
    Case(
        "I10",
        "two accepted commands were told the same version",
        change("ops", {"event_id": "e6"}, version=2),
    ),
    Case(
        "I10",
        "more commands were accepted than the log has versions",
        every(drop("events", event_id="e8"), drop("events", event_id="e9")),
    ),
    Case(
        "I11",
        "one key, several acceptances",
        change("ops", _RETRY, version=3),
    ),
    Case(
        "I11",
        "one key, several events",
        copy("events", {"event_id": "e11"}, version=9, event_id="once more"),
    ),
    Case(
        "I11",
        "a retry of an accepted command was refused",
        change("ops", _RETRY, outcome="fail", status=422, event_id=None, replayed=False),
    ),
    Case(
        "I11",
        "a command that had had its effect was refused",
        # The first answer was lost; then a command of somebody else saw a later version.
        every(
            change_all("ops", {"event_id": "e14"}, outcome="fail", status=422, event_id=None,
                       replayed=False, start_ns=_DAY_NS * 30_000, end_ns=_DAY_NS * 30_000),
            change("ops", {"key": f"{W0}.c1.16"}, start_ns=_DAY_NS * 30_000 - 1),
        ),
    ),
    Case(
        "I11",
        "another payload under the key of an accepted command was not refused as that",
        change("ops", {"payload_hash": f"deposit/{A1}/51/"}, status=409),
    ),
    Case(
        "I11",
        "one key, several answers that say they are the first",
        change("ops", _RETRY, replayed=False),
    ),
    Case(
        "I11",
        "an answer repeats one that nobody can have been given",
        change("ops", {"event_id": "e5"}, replayed=True),
    ),
    Case("I11", "the answer is not kept", drop("commands", **_FIRST)),
]  # fmt: skip

DOUBTS = [
    Case(
        "I1",
        "refused, in the log, and its recorder was killed",
        every(
            change("ops", _FIRST, outcome="fail", status=409, event_id=None),
            change("writers", {"writer": W0}, closed=False),
        ),
    ),
    Case(
        "I3",
        "the recorder of its command was killed",
        every(drop("ops", **_FIRST), change("writers", {"writer": W0}, closed=False)),
    ),
    Case(
        "I10",
        "a recorder that may have written to it was killed",
        change("writers", {"writer": W1}, closed=False),
    ),
]

TOO_LITTLE = [
    Case("I1", "accepted commands", empty("ops")),
    Case("I3", "events", empty("events", "lines", "accounts", "heads", "commands", "totals")),
    Case(
        "I10",
        "versions to which several commands were pinned",
        change("ops", _REFUSED, expected_version=None),
    ),
    Case("I11", "keys that were sent again after they were accepted", empty("ops", "events")),
]
