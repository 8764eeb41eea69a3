"""Histories whose final state, or a sample on the way there, is not what the log makes of it."""

from __future__ import annotations

from tests.invariants.breaking import (
    A0,
    A3,
    O0,
    O1,
    SHUT,
    Case,
    change,
    change_all,
    copy,
    drop,
    empty,
    every,
)

_UNPROJECTED = change("events", {"event_id": "e4"}, projected_at_ms=None, in_outbox=True)
_LATE_MS = 2_000_000_000_000

CASES = [
    Case("I2", "still in the outbox", change("events", {"event_id": "e4"}, in_outbox=True)),
    Case("I2", "never acknowledged", change("events", {"event_id": "e4"}, projected_at_ms=None)),
    Case("I2", "no account on the read side", drop("accounts", aggregate=A3)),
    Case("I2", "the read side is behind", change("accounts", {"aggregate": A0}, version=5)),
    Case("I2", "no statement line", drop("lines", aggregate=A0, version=3)),
    Case(
        "I4",
        "the events of one account are of several owners",
        change("events", {"event_id": "e5"}, owner=O1),
    ),
    Case(
        "I4",
        "the balance is not the sum of the events",
        change("accounts", {"aggregate": A0}, balance=71),
    ),
    Case("I4", "the balance is not the sum of the events", drop("accounts", aggregate=A3)),
    Case(
        "I4",
        "not one statement line for each event",
        copy("lines", {"aggregate": A0, "version": 3}),
    ),
    Case(
        "I4",
        "the totals of the owner have another balance than the sum of the events",
        change("totals", {"owner": O0}, balance=281),
    ),
    Case(
        "I4",
        "the totals of the owner count other accounts than were opened",
        change("totals", {"owner": O0}, accounts=4),
    ),
    Case("I5", "two events at one version", copy("events", {"event_id": "e5"}, event_id="another")),
    Case("I5", "no event at the version before", drop("events", event_id="e5")),
    Case("I5", "two statement lines at one version", copy("lines", {"aggregate": A0})),
    Case("I5", "no statement line at the version before", drop("lines", aggregate=A0, version=3)),
    Case("I6", "no account on the read side", drop("accounts", aggregate=A3)),
    Case(
        "I6",
        "the account is at another version than its log",
        change("accounts", {"aggregate": A0}, version=5),
    ),
    Case(
        "I6",
        "the account is not the fold of its events",
        change("accounts", {"aggregate": A0}, state="{}"),
    ),
    Case("I6", "two rows for one account", copy("accounts", {"aggregate": A0})),
    Case(
        "I6",
        "a statement line says something else than its event",
        change("lines", {"aggregate": A0, "version": 3}, line="{}"),
    ),
    Case(
        "I6",
        "the API shows another account than the read model holds",
        change("account_reads", {"aggregate": A0}, state="{}"),
    ),
    Case(
        "I6",
        "the API shows another first statement line than the read model holds",
        change("page_reads", {"aggregate": A0}, first_version=7),
    ),
    Case(
        "I6",
        "the API shows another account of an owner than the read model holds",
        change("owner_reads", {"aggregate": A0}, version=5),
    ),
    Case(
        "I6",
        "the API shows more or fewer accounts of an owner than the totals count",
        drop("owner_reads", aggregate=SHUT),
    ),
    Case(
        "I6",
        "the API shows other totals than the read model holds",
        change("totals_reads", {"owner": O0}, balance=281),
    ),
    Case(
        "I6",
        "the read side came later than its bound, in ms, after the last write or fault",
        change("events", {"event_id": "e4"}, projected_at_ms=_LATE_MS),
    ),
    Case(
        "I7",
        "a sample shows an effect without the mark",
        change("snapshots", {"sample": 1}, has_line=True),
    ),
    Case(
        "I7",
        "a sample shows an effect without the mark",
        change("snapshots", {"sample": 1}, account_version=4),
    ),
    Case(
        "I7",
        "a sample shows the mark without all effects",
        change("snapshots", {"sample": 2}, account_version=1),
    ),
    Case(
        "I7",
        "in the final state, the mark without all effects",
        drop("lines", aggregate=A0, version=3),
    ),
    Case(
        "I7",
        "in the final state, the mark without all effects",
        change("accounts", {"aggregate": A0}, version=5),
    ),
    Case(
        "I7",
        "a sample of an event that the log does not have so",
        change("snapshots", {"sample": 2}, projected_at_ms=1),
    ),
    Case(
        "I7",
        "a sample of an account at a version that the log does not have",
        change("snapshots", {"sample": 2}, account_version=99),
    ),
    Case(
        "I7",
        "a sample of an account behind an earlier sample",
        change("snapshots", {"sample": 2}, account_version=6),
    ),
    Case(
        "I7",
        "the account and the mark of its event are of different transactions",
        change("accounts", {"aggregate": A0}, projected_at_ms=1),
    ),
    Case("I17", "events without a head", drop("heads", aggregate=A0)),
    Case(
        "I17",
        "the head is at another version than its log",
        change("heads", {"aggregate": A0}, version=5),
    ),
    Case(
        "I17",
        "the head is not the fold of its events",
        change("heads", {"aggregate": A0}, state="{}"),
    ),
    Case("I17", "two heads of one account", copy("heads", {"aggregate": A0})),
    Case("I18", "below zero", change("events", {"event_id": "e5"}, amount=-1)),
    Case("I18", "closed with money in it", change("events", {"event_id": "e37"}, amount=5)),
    Case(
        "I18", "changed after it was closed", change("events", {"event_id": "e1"}, status="closed")
    ),
]

DOUBTS = [
    Case(
        "I6",
        "the API did not say in the end what it shows",
        change(
            "ops",
            {"purpose": "final", "reads": "totals_reads"},
            outcome="info",
            status=503,
            rows_read=None,
        ),
    ),
    Case("I4", "an event of it is not projected", _UNPROJECTED),
    Case("I7", "an event of it is not projected", _UNPROJECTED),
]

_NOTHING = empty("events", "lines", "accounts", "totals", "account_reads", "page_reads",
                 "totals_reads", "owner_reads", "ops", "snapshots")  # fmt: skip
TOO_LITTLE = [
    Case("I2", "events", _NOTHING),
    Case(
        "I4",
        "accounts with every event projected",
        change_all("events", {"in_outbox": False}, in_outbox=True),
    ),
    Case("I5", "events", _NOTHING),
    Case("I6", "accounts of the log", _NOTHING),
    Case("I6", "bounds of convergence", empty("settings")),
    Case(
        "I7",
        "samples before the projection",
        change("snapshots", {"sample": 1}, taken_at_ms=_LATE_MS),
    ),
    Case("I7", "samples after the projection", drop("snapshots", sample=2)),
    Case("I17", "heads", every(_NOTHING, empty("heads"))),
    Case("I18", "events of a balance", _NOTHING),
]
