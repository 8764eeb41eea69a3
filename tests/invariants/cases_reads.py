"""Histories in which somebody was shown what the log cannot have shown."""

from __future__ import annotations

from tests.invariants.breaking import A0, A1, O0, O1, SHUT, Case, change, empty, every

_PAGE = {"aggregate": SHUT, "lines": 2}

CASES = [
    Case("I8", "older than its token", change("account_reads", {"aggregate": A1}, token=7)),
    Case(
        "I8",
        "an account at a version that the log does not have",
        change("account_reads", {"aggregate": A0}, version=9),
    ),
    Case(
        "I8",
        "an account that is not the fold of the events up to its version",
        change("account_reads", {"aggregate": A0}, state="{}"),
    ),
    Case(
        "I8",
        "an account among those of its owner that no version of the log is",
        change("owner_reads", {"aggregate": A0}, state="{}"),
    ),
    Case(
        "I8",
        "an account among those of an owner who is not its own",
        change("owner_reads", {"aggregate": A0}, owner=O1),
    ),
    Case(
        "I8",
        "a page with a hole, a repeat, or lines out of order",
        change("page_reads", _PAGE, lines=3),
    ),
    Case(
        "I8",
        "a page with a hole, a repeat, or lines out of order",
        change("page_reads", {"aggregate": SHUT, "lines": 0}, first_version=1),
    ),
    Case(
        "I8",
        "a last page that does not reach the first event",
        change("page_reads", {"aggregate": A0, "last_version": 2}, is_last=True),
    ),
    Case(
        "I8",
        "a page with other lines than the events make",
        change("page_reads", _PAGE, digest_sum=1),
    ),
    Case(
        "I8",
        "a page with other lines than the events make",
        # The sum of its lines is right, and the log has a hole where one of them is.
        change("events", {"event_id": "e20"}, version=5),
    ),
    Case(
        "I8",
        "a line of a page that its event does not make",
        change("page_lines", {"aggregate": A1}, line="{}"),
    ),
    Case(
        "I8",
        "totals of more accounts than the owner ever had",
        change("totals_reads", {"owner": O0}, accounts=4),
    ),
    Case(
        "I9",
        "a read behind an earlier one of its session",
        change("account_reads", {"aggregate": A1, "token": 6}, version=5, token=5),
    ),
]

TOO_LITTLE = [
    Case("I8", "accounts read that are in the log", empty("account_reads")),
    Case("I9", "accounts read again in a session, with a token", every(empty("account_reads"))),
]
DOUBTS: list[Case] = []
