"""A system that shows one view of each aggregate is judged by what it has."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest

from tests.invariants import oracle
from tests.invariants.clean_runs import clean_run, closed
from tests.invariants.database import Database
from tests.invariants.edits import leave_views_only
from tests.invariants.recorded import Tables
from tidemark.invariants.judge import Verdict

CLAIMED = ("I0", "I1", "I2", "I3", "I5", "I6")
SEEN = ("I8", "I9", "I10", "I11")
Break = Callable[[Tables], None]


def views(breaks: Break = lambda _: None) -> Tables:
    """A run of such a system: its sessions are numbered anew, as pages are nobody's there."""
    tables = clean_run(steps=20)
    leave_views_only(tables)
    numbers: dict[tuple[str, str], dict[int, int]] = {}
    for op in sorted(tables["ops"], key=lambda op: int(op["seq"])):
        of_session = numbers.setdefault((op["writer"], op["session"]), {})
        of_session[op["seq"]] = len(of_session) + 1
    for name in ("ops", "account_reads"):
        tables[name] = [
            row | {"seq": numbers[row["writer"], row["session"]][row["seq"]]}
            for row in tables[name]
        ]
    tables["claims"] = [{"invariant": one} for one in CLAIMED]
    breaks(tables)
    return closed(tables)


@cache
def database() -> Database:
    held = Database()
    held.load(views())
    return held


def verdicts(breaks: Break) -> dict[str, Verdict]:
    tables = views(breaks)
    with database().changed(tables):
        judged = database().verdicts()
    assert judged == oracle.verdicts(tables)
    return judged


def unmarked(tables: Tables) -> None:
    tables["events"] = [event | {"projected_at_ms": None} for event in tables["events"]]


def without_the_newest_event(tables: Tables) -> None:
    tables["accounts"][0] = tables["accounts"][0] | {"version": 1}


def without_a_view(tables: Tables) -> None:
    del tables["accounts"][0]


def silent(tables: Tables) -> None:
    tables["settings"].pop()


@pytest.mark.parametrize("breaks", [lambda _: None, unmarked], ids=["with-marks", "without"])
def test_what_it_has_holds_and_the_rest_is_not_exercised(breaks: Break) -> None:
    judged = verdicts(breaks)

    holding = {one for one, verdict in judged.items() if verdict is Verdict.HOLDS}
    assert holding == {*CLAIMED, *SEEN}
    assert {judged[one] for one in judged.keys() - holding} == {Verdict.NOT_EXERCISED}


@pytest.mark.parametrize("breaks", [without_the_newest_event, without_a_view])
def test_what_its_views_do_not_show_is_lost(breaks: Break) -> None:
    assert verdicts(breaks)["I2"] is Verdict.VIOLATED


def test_without_saying_so_it_is_judged_as_one_that_lost_the_rest() -> None:
    judged = verdicts(silent)

    assert {one for one, verdict in judged.items() if verdict is Verdict.VIOLATED} == {
        *("I2", "I4", "I7", "I11", "I13", "I17"),
    }
