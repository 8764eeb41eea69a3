"""Is one key the limit? Told by what went wrong with it, against its share of all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.invariants.database import Database
from tidemark.history.tables import TABLES
from tidemark.measures.contention import HotKey, hot_key

if TYPE_CHECKING:
    from tests.invariants.bank import Row

SLOW_MS, LATE_MS = 500, 1_000
MS = 1_000_000


def hot_key_in(ops: list[Row], events: list[Row]) -> HotKey | None:
    database = Database()
    database.load({name: [] for name in TABLES} | {"ops": ops, "events": events})
    return hot_key(database.connection, slow_ms=SLOW_MS, late_ms=LATE_MS)


def commands(account: str, count: int, took_ms: float = 20, **others: object) -> list[Row]:
    one = {
        "purpose": "load",
        "kind": "command",
        "aggregate": account,
        "intended_ns": 0,
        "start_ns": 10_000 * MS,
        "end_ns": int((10_000 + took_ms) * MS),
    }
    return [one | others for _ in range(count)]


def events(account: str, owner: str, count: int, lag_ms: int | None = 50) -> list[Row]:
    projected_at_ms = None if lag_ms is None else lag_ms
    one = {"aggregate": account, "owner": owner, "recorded_at_ms": 0}
    return [one | {"projected_at_ms": projected_at_ms} for _ in range(count)]


def test_an_account_whose_commands_are_busy_or_slow_is_named_with_its_shares() -> None:
    found = hot_key_in(
        [
            *commands("hot", 30),
            *commands("hot", 6, problem="busy"),
            *commands("hot", 4, took_ms=SLOW_MS + 1),
            *commands("other", 40),
        ],
        [],
    )
    assert found == HotKey("commands that were busy or slow", "account", "hot", 1.0, 0.5)
    assert str(found).startswith(
        "a single hot key is the limit: 100% of the commands that were busy or slow are of the "
        "account hot, which has 50% of the calls"
    )


def test_a_key_with_half_of_the_calls_and_half_of_the_trouble_is_not_the_limit() -> None:
    slow = SLOW_MS + 1
    ops = [*commands("hot", 50, took_ms=slow), *commands("a", 25, slow), *commands("b", 25, slow)]
    assert hot_key_in(ops, []) is None


def test_a_key_with_nearly_all_of_the_calls_is_the_limit_where_the_others_fare_well() -> None:
    slow = SLOW_MS + 1
    hot = [*commands("hot", 60), *commands("hot", 30, slow)]
    found = hot_key_in([*hot, *commands("other", 9), *commands("other", 1, slow)], [])
    assert found == HotKey("commands that were busy or slow", "account", "hot", 30 / 31, 0.9)
    assert hot_key_in([*hot, *commands("other", 8), *commands("other", 2, slow)], []) is None


def test_where_there_is_but_one_key_it_is_named_and_that_it_may_be_the_target_is_said() -> None:
    found = hot_key_in([*commands("only", 97), *commands("only", 3, SLOW_MS + 1)], [])
    assert str(found) == (
        "a single hot key is the limit, or hides that of the target: the account only has all of "
        "the calls (a profile with more accounts tells which)"
    )
    late = [event for name in "ab" for event in events(name, "only", 9, LATE_MS + 1)]
    assert "the owner only has all of the calls" in str(hot_key_in([], late))


def test_a_single_key_is_not_named_for_fewer_cases_than_miss_a_bound() -> None:
    assert hot_key_in([*commands("only", 99), *commands("only", 1, SLOW_MS + 1)], []) is None


def test_what_waited_for_a_caller_is_not_the_accounts_doing() -> None:
    assert hot_key_in([*commands("hot", 50), *commands("other", 50)], []) is None


def test_of_a_few_cases_nothing_is_said() -> None:
    assert hot_key_in([*commands("hot", 9, problem="busy"), *commands("other", 90)], []) is None


def test_what_does_not_load_does_not_count() -> None:
    ops = [
        *commands("hot", 20, problem="busy", purpose="setup"),
        *commands("hot", 20, took_ms=SLOW_MS + 1, kind="query"),
        *commands("other", 90),
    ]
    assert hot_key_in(ops, []) is None


def test_an_owner_whose_events_are_late_or_never_projected_is_named() -> None:
    log = [
        *(event for n in range(8) for event in events(f"a{n}", "hot", 1, LATE_MS + 1)),
        *(event for n in range(8) for event in events(f"a{n}", "hot", 1, None)),
        *events("b", "other", 24),
    ]
    found = hot_key_in(commands("a1", 1), log)
    assert found == HotKey("late events", "owner", "hot", 1.0, 0.4)


def test_an_account_whose_events_are_late_is_named_where_its_owner_has_others() -> None:
    late = events("hot", "owner", 20, LATE_MS + 1)
    found = hot_key_in([], [*late, *events("cold", "owner", 80)])
    assert found == HotKey("late events", "account", "hot", 1.0, 0.2)


def test_of_an_owner_who_is_late_by_one_account_alone_the_account_is_named() -> None:
    late = events("hot", "owner", 20, LATE_MS + 1)
    found = hot_key_in([], [*late, *events("hot", "owner", 5), *events("cold", "other", 25)])
    assert found == HotKey("late events", "account", "hot", 1.0, 0.5)


def test_what_opened_the_accounts_of_a_load_is_none_of_its_late_events() -> None:
    ops = commands("hot", 1, purpose="setup", event_id="opened")
    opened = [one | {"event_id": "opened"} for one in events("hot", "hot", 20, lag_ms=LATE_MS + 1)]
    assert hot_key_in(ops, [*opened, *events("cold", "owner", 80)]) is None
