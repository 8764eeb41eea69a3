"""One idempotency key is one command, however often and however it is sent."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from integration.accounts import accepted
from integration.facts import await_projected
from integration.ledger import assert_sides_agree
from tidemark.api.op import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

    from integration.accounts import Names
    from integration.tables import Tables
    from tidemark.api.op import Op
    from tidemark.workloads.bank import Bank


@pytest.fixture
def account_id(bank: Bank, names: Names) -> str:
    """An account that holds 500 at version 2."""
    account_id = names.account()
    accepted(bank.open_account(account_id=account_id, owner_id=names.owner()))
    accepted(bank.deposit(account_id, 500))
    return account_id


def test_a_key_sent_again_is_answered_alike_and_done_once(
    bank: Bank, tables: Tables, names: Names, account_id: str
) -> None:
    ops = [bank.deposit(account_id, 5, idempotency_key=names.key("k")) for _ in range(3)]

    facts = [accepted(op) for op in ops]
    assert len(set(facts)) == 1
    assert [op.replayed for op in ops] == [False, True, True]
    await_projected(tables, facts)
    assert assert_sides_agree(tables, account_id) == (3, 505, "open")


def test_a_key_that_races_itself_is_done_once(
    bank: Bank, tables: Tables, names: Names, account_id: str
) -> None:
    def send(_: int) -> Op:
        return bank.deposit(account_id, 5, idempotency_key=names.key("k"))

    with ThreadPoolExecutor(8) as pool:
        ops = list(pool.map(send, range(8)))

    facts = [accepted(op) for op in ops]
    assert len(set(facts)) == 1
    assert [op.replayed for op in ops].count(False) == 1
    await_projected(tables, facts)
    assert assert_sides_agree(tables, account_id) == (3, 505, "open")


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(lambda bank, one, key: bank.deposit(one, 6, idempotency_key=key), id="amount"),
        pytest.param(
            lambda bank, one, key: bank.withdraw(one, 5, idempotency_key=key), id="operation"
        ),
        pytest.param(
            lambda bank, one, key: bank.deposit(f"{one}.2", 5, idempotency_key=key), id="account"
        ),
    ],
)
def test_a_key_sent_with_another_command_is_refused_and_nothing_is_done(
    bank: Bank,
    tables: Tables,
    names: Names,
    account_id: str,
    other: Callable[[Bank, str, str], Op],
) -> None:
    accepted(bank.open_account(account_id=f"{account_id}.2", owner_id=names.owner()))
    first = accepted(bank.deposit(account_id, 5, idempotency_key=names.key("k")))

    refused = other(bank, account_id, names.key("k"))

    assert (refused.status, refused.problem) == (422, "key-reused")
    assert [len(tables.log(one)) for one in (account_id, f"{account_id}.2")] == [3, 1]
    again = bank.deposit(account_id, 5, idempotency_key=names.key("k"))
    assert (accepted(again), again.replayed) == (first, True)


@pytest.mark.parametrize(
    "send",
    [
        pytest.param(
            lambda bank, one, key: bank.withdraw(one, 500, idempotency_key=key),
            id="a withdrawal that empties the account",
        ),
        pytest.param(
            lambda bank, one, key: bank.open_account(
                account_id=f"{one}.new", owner_id=one, idempotency_key=key
            ),
            id="an opening",
        ),
        pytest.param(
            lambda bank, one, key: bank.open_account(owner_id=one, idempotency_key=key),
            id="an opening without an id",
        ),
        pytest.param(
            lambda bank, one, key: bank.deposit(one, 7, expected_version=2, idempotency_key=key),
            id="an If-Match command",
        ),
    ],
)
def test_a_retry_that_the_rules_would_refuse_by_now_replays_the_answer(
    bank: Bank,
    tables: Tables,
    names: Names,
    account_id: str,
    send: Callable[[Bank, str, str], Op],
) -> None:
    first, second = (send(bank, account_id, names.key("k")) for _ in range(2))

    fact = accepted(first)
    assert accepted(second) == fact
    assert (first.replayed, second.replayed) == (False, True)
    await_projected(tables, [fact])
    assert assert_sides_agree(tables, fact.account_id).version == fact.version


def test_a_retried_closure_replays_the_answer(bank: Bank, tables: Tables, names: Names) -> None:
    account_id = names.account()
    accepted(bank.open_account(account_id=account_id, owner_id=names.owner()))

    first, second = (bank.close(account_id, idempotency_key=names.key("k")) for _ in range(2))

    fact = accepted(first)
    assert accepted(second) == fact
    assert second.replayed
    await_projected(tables, [fact])
    assert assert_sides_agree(tables, account_id) == (2, 0, "closed")


def test_a_refusal_is_not_remembered_so_the_same_key_may_succeed_later(
    bank: Bank, tables: Tables, names: Names, account_id: str
) -> None:
    refused = bank.withdraw(account_id, 600, idempotency_key=names.key("k"))
    assert (refused.outcome, refused.problem) == (Outcome.FAIL, "insufficient-funds")
    assert tables.command(names.key("k")) is None
    accepted(bank.deposit(account_id, 100))

    withdrawn = bank.withdraw(account_id, 600, idempotency_key=names.key("k"))

    assert accepted(withdrawn).version == 4
    assert not withdrawn.replayed
