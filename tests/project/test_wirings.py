"""The page that compares the wirings: what it counts, and what it says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.invariants.database import Database
from tidemark.history.tables import TABLES
from tools.wirings import Load, Measured, Used, section, used_in

if TYPE_CHECKING:
    from tests.invariants.recorded import Tables

USED = Used(commands=100, deliveries=103, transactions=110, invocations=50)


def measured(wiring: str) -> Measured:
    return Measured(
        target="embedded",
        wiring=wiring,
        verdict="holds",
        measures={"writes_per_s": 18.26, "lag_p99_ms": 99.0},
        used=USED,
        versions={"tidemark": "0.1.0"},
    )


def test_calls_are_counted_from_the_loads_deliveries_their_transactions_and_their_invocations() -> (
    None
):
    database = Database()
    delivery = {"message_id": "m", "outcome": "applied"}
    deliveries = [
        delivery | {"event_id": "a", "request_id": "r1", "attempts": 1},
        delivery | {"event_id": "b", "request_id": "r1", "attempts": 3},
        delivery | {"event_id": "b", "request_id": "r2", "attempts": 1},
        delivery | {"event_id": "opened", "request_id": "r3", "attempts": 1},
    ]
    tables: Tables = {name: [] for name in TABLES} | {
        "deliveries": deliveries,
        "events": [{"event_id": one} for one in ("a", "b", "opened")],
        "ops": [{"event_id": "opened", "purpose": "setup"}],
    }
    database.load(tables)
    assert used_in(database.connection) == Used(2, 3, 5, 2)


def test_a_command_on_its_own_makes_as_many_calls_as_were_counted_by_hand() -> None:
    alone = Used(commands=1, deliveries=1, transactions=1, invocations=1)
    assert [sum(alone.calls(wiring).values()) for wiring in ("queued", "direct")] == [10, 7]


def test_a_queue_is_paid_for_where_there_is_one() -> None:
    queued, direct = USED.calls("queued"), USED.calls("direct")
    of_queue = {name for name in queued if "queue" in name}
    assert len(of_queue) == 2
    assert all(queued[name] == 1 and direct[name] == 0 for name in of_queue)
    assert {queued[name] - direct[name] for name in queued.keys() - of_queue} == {0}
    assert queued["transactions of the Update Processor"] == 1.1
    assert USED.usd_per_million("queued") > USED.usd_per_million("direct") > 0


def test_a_target_has_a_table_and_it_is_said_how_it_was_measured() -> None:
    load = Load("write", None, "20s")
    text = section([measured("queued"), measured("direct")], load, "2026-11-27")
    assert "the profile `write` at its share of the target's rate, for 20s, seed `wirings`" in text
    assert text.startswith("On 2026-11-27, ")
    assert "|  | queued | direct |\n| --- | ---: | ---: |\n| verdict | holds | holds |" in text
    assert "| projection lag p99, ms | 99.0 | 99.0 |" in text
    assert "| projection lag p50, ms | - | - |" in text
    assert "| messages into the queue, per million commands | 1,000,000 | 0 |" in text
