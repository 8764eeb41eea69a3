"""One idempotency key is one command, however often and however it is sent."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from integration.accounts import accepted, beside
from integration.facts import await_projected
from integration.ledger import assert_sides_agree
from tidemark.api.op import Outcome
from tidemark.workloads import bank

if TYPE_CHECKING:
    from collections.abc import Callable

    from integration.accounts import Names
    from integration.site import Site
    from tidemark.api.call import Call
    from tidemark.api.client import Client
    from tidemark.api.op import Op
    from tidemark.workloads.bank_tables import BankTables


def test_a_key_sent_again_is_answered_alike_and_done_once(
    client: Client, tables: BankTables, names: Names, account_id: str
) -> None:
    ops = [client.run(bank.deposit(account_id, 5), key=names.key("k")) for _ in range(3)]

    facts = [accepted(op) for op in ops]
    assert len(set(facts)) == 1
    assert [op.replayed for op in ops] == [False, True, True]
    await_projected(tables, facts)
    assert assert_sides_agree(tables, account_id) == (3, 505, "open")


def test_a_key_that_races_itself_is_done_once(
    client: Client, tables: BankTables, names: Names, account_id: str
) -> None:
    def send(number: int) -> Op:
        return beside(client, number).run(bank.deposit(account_id, 5), key=names.key("k"))

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
        pytest.param(lambda one: bank.deposit(one, 6), id="amount"),
        pytest.param(lambda one: bank.withdraw(one, 5), id="operation"),
        pytest.param(lambda one: bank.deposit(f"{one}.2", 5), id="account"),
    ],
)
def test_a_key_sent_with_another_command_is_refused_and_nothing_is_done(
    client: Client,
    tables: BankTables,
    names: Names,
    account_id: str,
    other: Callable[[str], Call],
) -> None:
    accepted(client.run(bank.open_account(account_id=f"{account_id}.2", owner_id=names.owner())))
    first = accepted(client.run(bank.deposit(account_id, 5), key=names.key("k")))

    refused = client.run(other(account_id), key=names.key("k"))

    assert (refused.status, refused.problem) == (422, "key-reused")
    assert [len(tables.log(one)) for one in (account_id, f"{account_id}.2")] == [3, 1]
    again = client.run(bank.deposit(account_id, 5), key=names.key("k"))
    assert (accepted(again), again.replayed) == (first, True)


@pytest.mark.parametrize(
    "send",
    [
        pytest.param(
            lambda one: bank.withdraw(one, 500),
            id="a withdrawal that empties the account",
        ),
        pytest.param(
            lambda one: bank.open_account(account_id=f"{one}.new", owner_id=one),
            id="an opening",
        ),
        pytest.param(
            lambda one: bank.open_account(owner_id=one),
            id="an opening without an id",
        ),
        pytest.param(
            lambda one: bank.deposit(one, 7, expected_version=2),
            id="an If-Match command",
        ),
    ],
)
def test_a_retry_that_the_rules_would_refuse_by_now_replays_the_answer(
    client: Client,
    tables: BankTables,
    names: Names,
    account_id: str,
    send: Callable[[str], Call],
) -> None:
    first, second = (client.run(send(account_id), key=names.key("k")) for _ in range(2))

    fact = accepted(first)
    assert accepted(second) == fact
    assert (first.replayed, second.replayed) == (False, True)
    await_projected(tables, [fact])
    assert assert_sides_agree(tables, fact.account_id).version == fact.version


def test_a_retried_closure_replays_the_answer(
    client: Client, tables: BankTables, names: Names
) -> None:
    account_id = names.account()
    accepted(client.run(bank.open_account(account_id=account_id, owner_id=names.owner())))

    first, second = (client.run(bank.close(account_id), key=names.key("k")) for _ in range(2))

    fact = accepted(first)
    assert accepted(second) == fact
    assert second.replayed
    await_projected(tables, [fact])
    assert assert_sides_agree(tables, account_id) == (2, 0, "closed")


def test_a_refusal_is_not_remembered_so_the_same_key_may_succeed_later(
    site: Site, client: Client, names: Names, account_id: str
) -> None:
    refused = client.run(bank.withdraw(account_id, 600), key=names.key("k"))
    assert (refused.outcome, refused.problem) == (Outcome.FAIL, "insufficient-funds")
    assert site.command(names.key("k")) is None
    accepted(client.run(bank.deposit(account_id, 100)))

    withdrawn = client.run(bank.withdraw(account_id, 600), key=names.key("k"))

    assert accepted(withdrawn).version == 4
    assert not withdrawn.replayed
    assert site.command(names.key("k")) is not None
