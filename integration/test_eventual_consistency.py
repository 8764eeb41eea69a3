"""What the command side accepted, the query side has in the end: the same facts, once each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from integration.accounts import accepted
from integration.facts import await_projected
from integration.ledger import assert_sides_agree, assert_totals_agree
from tidemark.workloads import bank

if TYPE_CHECKING:
    from integration.accounts import Names
    from tidemark.api.client import Client
    from tidemark.workloads.bank_tables import BankTables


def test_an_accepted_command_reaches_the_query_table(
    client: Client, tables: BankTables, names: Names
) -> None:
    account_id, owner_id = names.account(), names.owner()
    opened = accepted(client.run(bank.open_account(account_id=account_id, owner_id=owner_id)))
    deposited = accepted(client.run(bank.deposit(account_id, 700)))

    await_projected(tables, [opened, deposited])

    row = tables.account(account_id)
    assert row is not None
    assert (row["owner_id"], row["balance"], row["status"], row["version"]) == (
        owner_id,
        700,
        "open",
        2,
    )
    event = tables.event(account_id, 2)
    line = tables.line(account_id, 2)
    assert event is not None
    assert line is not None
    assert (line["type"], line["amount"], line["balance"]) == ("FundsDeposited", 700, 700)
    assert line["recorded_at"] == event.recorded_at_ms
    assert (event.lag_ms or 0) >= 0
    assert event.projected_at_ms is not None
    assert event.mark is None


def test_every_event_of_several_accounts_of_one_owner_is_projected_once(
    client: Client, tables: BankTables, names: Names
) -> None:
    owner_id = names.owner()
    account_ids = [names.account(f"a{number}") for number in range(4)]
    facts = [
        accepted(client.run(bank.open_account(account_id=account_id, owner_id=owner_id)))
        for account_id in account_ids
    ]
    for amount in range(1, 6):
        facts += [
            accepted(client.run(bank.deposit(account_id, amount * 100)))
            for account_id in account_ids
        ]
    facts += [accepted(client.run(bank.withdraw(account_id, 50))) for account_id in account_ids[:2]]

    await_projected(tables, facts)

    for account_id in account_ids:
        assert_sides_agree(tables, account_id)
    assert_totals_agree(tables, owner_id, account_ids)


def test_an_account_from_opening_to_closure_reads_the_same_on_both_sides(
    client: Client, tables: BankTables, names: Names
) -> None:
    account_id, owner_id = names.account(), names.owner()
    facts = [
        accepted(client.run(bank.open_account(account_id=account_id, owner_id=owner_id))),
        accepted(client.run(bank.deposit(account_id, 2**53 - 1))),
        accepted(client.run(bank.withdraw(account_id, 2**53 - 1))),
        accepted(client.run(bank.close(account_id))),
    ]

    await_projected(tables, facts)

    assert assert_sides_agree(tables, account_id) == (4, 0, "closed")
    read = client.run(bank.account(account_id, min_version=4))
    assert read.state == {
        "account_id": account_id,
        "owner_id": owner_id,
        "balance": 0,
        "status": "closed",
        "version": 4,
    }
    assert_totals_agree(tables, owner_id, [account_id])


def test_the_bank_makes_an_account_id_when_the_caller_chooses_none(
    client: Client, tables: BankTables, names: Names
) -> None:
    opened = accepted(client.run(bank.open_account(owner_id=names.owner())))

    await_projected(tables, [opened])

    assert_sides_agree(tables, opened.account_id)
