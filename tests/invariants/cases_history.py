"""Histories that contradict themselves, or in which something that was planned did not happen."""

from __future__ import annotations

from tests.invariants.breaking import A0, A1, O0, O1, SHUT, W0, Case, change, copy, drop, every

_FIRST = {"event_id": "e1"}
_LOST = {"operation": "withdraw", "outcome": "info"}
_READ = {"operation": "account", "outcome": "ok"}

CASES = [
    Case("I0", "two ops with one number", copy("ops", _FIRST, key="another")),
    Case(
        "I0",
        "a session without some of its ops, by a writer that wrote down all of them",
        drop("ops", **_LOST),
    ),
    Case(
        "I0",
        "an op that began before the one before it had ended",
        change("ops", {"event_id": "e8"}, start_ns=1, intended_ns=1),
    ),
    Case(
        "I0",
        "an op that ended before it began, or began before it was planned",
        change("ops", _FIRST, end_ns=1),
    ),
    Case("I0", "an outcome that its status does not mean", change("ops", _FIRST, status=404)),
    Case("I0", "an outcome that its status does not mean", change("ops", _LOST, outcome="maybe")),
    Case(
        "I0",
        "an op that says what one of its kind cannot say, or not what it must",
        change("ops", _FIRST, key=None),
    ),
    Case(
        "I0",
        "an op that says what one of its kind cannot say, or not what it must",
        change("ops", _READ, rows_read=2),
    ),
    Case(
        "I0",
        "one operation, here a command and there a query, or reads of several tables",
        change("ops", {"operation": "deposit"}, operation="account"),
    ),
    Case(
        "I0",
        "one operation, here a command and there a query, or reads of several tables",
        change("ops", {"operation": "statement"}, operation="account"),
    ),
    Case("I0", "two closing rows of one writer", copy("writers", {"writer": W0})),
    Case("I0", "an op of a writer that the run does not know", drop("writers", writer=W0)),
    Case("I0", "what a read saw is written down twice", copy("totals_reads", {"owner": O0})),
    Case(
        "I0",
        "what a read saw, without the op that read it then",
        change("page_reads", {"aggregate": A0}, aggregate=A1),
    ),
    Case(
        "I0",
        "an account that was read, and its op says something else",
        change("account_reads", {"aggregate": A0}, version=7),
    ),
    Case(
        "I0",
        "an account that was read, and its op says something else",
        change("account_reads", {"aggregate": A1}, token=1),
    ),
    Case(
        "I0",
        "an account on a page of an owner, without the op that read it then, or twice",
        copy("owner_reads", {"owner": O0}),
    ),
    Case(
        "I0",
        "an account on a page of an owner, without the op that read it then, or twice",
        change("owner_reads", {"owner": O0}, owner=O1),
    ),
    Case(
        "I0",
        "a line of a page that was not read, or twice",
        change("page_reads", {"is_kept": True, "lines": 3}, is_kept=False),
    ),
    Case("I0", "a kept answer is there twice", copy("commands", _FIRST, version=9)),
    Case("I0", "a sample is there twice", copy("snapshots", {"sample": 3})),
    Case("I0", "a sample is missing", drop("snapshots", sample=3)),
    Case(
        "I0",
        "a message is there twice in one invocation",
        copy("invocations", {"message_id": "m1"}),
    ),
    Case(
        "I0",
        "an invocation that ended and did not end",
        change("invocations", {"request_id": "r1", "message_id": "m1"}, ended=False),
    ),
    Case("I0", "two rows of totals for one owner", copy("totals", {"owner": O0}, balance=0)),
    Case("I0", "a fault is there twice, or ended before it began", copy("faults", {"id": "f1"})),
    Case(
        "I0",
        "a fault is there twice, or ended before it began",
        change("faults", {"id": "f1"}, end_ns=1),
    ),
    Case(
        "I0",
        "a plan, a bound or a claim is there twice",
        copy("settings", {"name": "lag_bound_ms"}, value=1),
    ),
    Case(
        "I0",
        "a plan, a bound or a claim is there twice",
        copy("claims", {"invariant": "I4"}),
    ),
    Case(
        "I16",
        "a planned fault did not strike as often as planned",
        change("planned_faults", {"fault": "poison"}, times=2),
    ),
    Case("I16", "a planned fault did not strike as often as planned", drop("faults", id="f2")),
    Case(
        "I16",
        "a planned fault did not strike as often as planned",
        every(
            change("planned_faults", {"fault": "poison"}, times=2),
            copy("planned_faults", {"fault": "poison"}),
        ),
    ),
]

DOUBTS = [
    Case(
        "I0",
        "ops of a session are missing",
        every(drop("ops", **_LOST), change("writers", {"writer": W0}, closed=False)),
    ),
    Case(
        "I0",
        "a writer began calls that it did not write down",
        change("writers", {"writer": W0}, ops_begun=99),
    ),
    Case(
        "I0",
        "what a read saw is there, and its op was lost with its recorder",
        every(drop("ops", **_READ), change("writers", {"writer": W0}, closed=False)),
    ),
    Case("I0", "what a read saw is missing", drop("account_reads", aggregate=SHUT)),
    Case(
        "I0",
        "lines of a page that was kept are missing",
        drop("page_lines", aggregate=A1, version=5),
    ),
]

TOO_LITTLE = [
    Case("I0", "ops", lambda tables: tables.update(ops=[], account_reads=[], page_reads=[],
                                                  page_lines=[], totals_reads=[], owner_reads=[])),
    Case("I16", "planned faults", lambda tables: tables.update(planned_faults=[])),
]  # fmt: skip
