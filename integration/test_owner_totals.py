"""An owner's totals: every account that was ever opened, and what they hold together."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from integration.accounts import accepted
from integration.facts import await_projected
from integration.ledger import assert_totals_agree

if TYPE_CHECKING:
    from integration.accounts import Names
    from integration.facts import Fact
    from integration.tables import Tables
    from tidemark.workloads.bank import Bank


def test_totals_add_up_and_go_on_counting_closed_accounts(
    bank: Bank, tables: Tables, names: Names
) -> None:
    owner_id, one, other = names.owner(), names.account("one"), names.account("other")
    facts = [
        accepted(bank.open_account(account_id=one, owner_id=owner_id)),
        accepted(bank.open_account(account_id=other, owner_id=owner_id)),
        accepted(bank.deposit(one, 900)),
        accepted(bank.withdraw(one, 250)),
        accepted(bank.close(other)),
    ]
    await_projected(tables, facts)

    read = bank.owner_totals(owner_id)

    assert (read.status, read.state) == (
        200,
        {"owner_id": owner_id, "accounts": 2, "balance": 650},
    )
    assert_totals_agree(tables, owner_id, [one, other])


def test_an_owner_without_accounts_has_zeros(bank: Bank, names: Names) -> None:
    read = bank.owner_totals(names.owner())

    assert (read.status, read.state) == (
        200,
        {"owner_id": names.owner(), "accounts": 0, "balance": 0},
    )


def test_totals_are_right_when_accounts_of_one_owner_change_at_the_same_time(
    bank: Bank, tables: Tables, names: Names
) -> None:
    owner_id = names.owner()
    account_ids = [names.account(f"a{number}") for number in range(6)]

    def live(account_id: str) -> list[Fact]:
        return [
            accepted(bank.open_account(account_id=account_id, owner_id=owner_id)),
            *(accepted(bank.deposit(account_id, amount)) for amount in (10, 20, 30)),
            accepted(bank.withdraw(account_id, 15)),
        ]

    with ThreadPoolExecutor(len(account_ids)) as pool:
        facts = [fact for lived in pool.map(live, account_ids) for fact in lived]

    await_projected(tables, facts)
    totals = bank.owner_totals(owner_id).state
    assert totals == {"owner_id": owner_id, "accounts": 6, "balance": 6 * 45}
    assert_totals_agree(tables, owner_id, account_ids)
