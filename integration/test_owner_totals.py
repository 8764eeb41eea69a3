"""An owner's totals: every account that was ever opened, and what they hold together."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from integration.accounts import accepted, beside
from integration.facts import await_projected
from integration.ledger import assert_totals_agree
from tidemark.workloads import bank

if TYPE_CHECKING:
    from integration.accounts import Names
    from integration.facts import Fact
    from tidemark.api.client import Client
    from tidemark.workloads.bank_tables import BankTables


def test_totals_add_up_and_go_on_counting_closed_accounts(
    client: Client, tables: BankTables, names: Names
) -> None:
    owner_id, one, other = names.owner(), names.account("one"), names.account("other")
    facts = [
        accepted(client.run(bank.open_account(account_id=one, owner_id=owner_id))),
        accepted(client.run(bank.open_account(account_id=other, owner_id=owner_id))),
        accepted(client.run(bank.deposit(one, 900))),
        accepted(client.run(bank.withdraw(one, 250))),
        accepted(client.run(bank.close(other))),
    ]
    await_projected(tables, facts)

    read = client.run(bank.owner_totals(owner_id))

    assert (read.status, read.state) == (
        200,
        {"owner_id": owner_id, "accounts": 2, "balance": 650},
    )
    assert_totals_agree(tables, owner_id, [one, other])


def test_an_owner_without_accounts_has_zeros(client: Client, names: Names) -> None:
    read = client.run(bank.owner_totals(names.owner()))

    assert (read.status, read.state) == (
        200,
        {"owner_id": names.owner(), "accounts": 0, "balance": 0},
    )


def test_totals_are_right_when_accounts_of_one_owner_change_at_the_same_time(
    client: Client, tables: BankTables, names: Names
) -> None:
    owner_id = names.owner()
    account_ids = [names.account(f"a{number}") for number in range(6)]

    def live(number: int) -> list[Fact]:
        own = beside(client, number)
        calls = [
            bank.open_account(account_id=account_ids[number], owner_id=owner_id),
            *(bank.deposit(account_ids[number], amount) for amount in (10, 20, 30)),
            bank.withdraw(account_ids[number], 15),
        ]
        return [accepted(own.run(call)) for call in calls]

    with ThreadPoolExecutor(len(account_ids)) as pool:
        facts = [fact for lived in pool.map(live, range(len(account_ids))) for fact in lived]

    await_projected(tables, facts)
    totals = client.run(bank.owner_totals(owner_id)).state
    assert totals == {"owner_id": owner_id, "accounts": 6, "balance": 6 * 45}
    assert_totals_agree(tables, owner_id, account_ids)
