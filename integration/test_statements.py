"""A statement: one line per event, newest first, in pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from integration.accounts import Names, accepted
from integration.facts import await_projected
from tidemark.workloads import bank

if TYPE_CHECKING:
    from collections.abc import Callable

    from integration.site import Site
    from tidemark.api.client import Client
    from tidemark.api.op import Op
    from tidemark.workloads.bank_tables import BankTables

AMOUNTS = (500, 40, 3, 20, 100)


@pytest.fixture(scope="module")
def account_id(site: Site, tables: BankTables) -> str:
    """An account of seven versions: opened, five deposits, a withdrawal."""
    client = site.client.for_session("statements")
    names = Names.of(client)
    account_id = names.account()
    facts = [accepted(client.run(bank.open_account(account_id=account_id, owner_id=names.owner())))]
    facts += [accepted(client.run(bank.deposit(account_id, amount))) for amount in AMOUNTS]
    facts += [accepted(client.run(bank.withdraw(account_id, 63)))]
    await_projected(tables, facts)
    return account_id


def pages(read: Callable[[str | None], Op], name: str) -> list[list[dict[str, Any]]]:
    """All pages, each as the list that it has under that name."""
    found: list[list[dict[str, Any]]] = []
    cursor: str | None = None
    while True:
        op = read(cursor)
        assert op.status == 200, op
        assert op.state is not None
        found.append(op.state[name])
        cursor = op.state.get("cursor")
        if cursor is None:
            return found
        assert len(found) < 100, "the pages do not end"


def test_a_statement_has_a_line_for_every_event_newest_first(
    client: Client, tables: BankTables, account_id: str
) -> None:
    [lines] = pages(lambda cursor: client.run(bank.statement(account_id, cursor=cursor)), "lines")

    assert [(line["version"], line["type"], line["amount"], line["balance"]) for line in lines] == [
        (7, "FundsWithdrawn", 63, 600),
        (6, "FundsDeposited", 100, 663),
        (5, "FundsDeposited", 20, 563),
        (4, "FundsDeposited", 3, 543),
        (3, "FundsDeposited", 40, 540),
        (2, "FundsDeposited", 500, 500),
        (1, "AccountOpened", 0, 0),
    ]
    recorded = [event.recorded_at_ms for event in tables.log(account_id)]
    assert [line["recorded_at"] for line in lines] == recorded[::-1]


@pytest.mark.parametrize("limit", [1, 2, 3, 6, 7, 8, 100])
def test_pages_of_any_size_hold_the_same_lines(client: Client, account_id: str, limit: int) -> None:
    [whole] = pages(lambda _: client.run(bank.statement(account_id)), "lines")

    found = pages(
        lambda cursor: client.run(bank.statement(account_id, limit=limit, cursor=cursor)), "lines"
    )

    assert [line for page in found for line in page] == whole
    assert all(len(page) == limit for page in found[:-1])
    assert found[-1]


def test_a_cursor_of_another_account_is_a_position_only(
    client: Client, tables: BankTables, names: Names, account_id: str
) -> None:
    other = names.account()
    facts = [accepted(client.run(bank.open_account(account_id=other, owner_id=names.owner())))]
    facts += [accepted(client.run(bank.deposit(other, 9))) for _ in range(3)]
    await_projected(tables, facts)
    page = client.run(bank.statement(account_id, limit=4))
    assert page.state is not None

    read = client.run(bank.statement(other, cursor=page.state["cursor"]))

    assert read.state is not None
    assert [(line["version"], line["balance"]) for line in read.state["lines"]] == [
        (3, 18),
        (2, 9),
        (1, 0),
    ]


def test_an_unknown_account_has_no_statement(client: Client, names: Names) -> None:
    read = client.run(bank.statement(names.account()))

    assert (read.status, read.problem) == (404, "no-such-account")


def test_the_accounts_of_an_owner_come_in_the_order_of_their_ids(
    client: Client, tables: BankTables, names: Names
) -> None:
    owner_id = names.owner()
    account_ids = [names.account(f"a{number}") for number in (3, 1, 4, 2, 0)]
    facts = [
        accepted(client.run(bank.open_account(account_id=one, owner_id=owner_id)))
        for one in account_ids
    ]
    facts += [accepted(client.run(bank.deposit(account_ids[0], 77)))]
    await_projected(tables, facts)

    found = pages(
        lambda cursor: client.run(bank.owner_accounts(owner_id, limit=2, cursor=cursor)), "accounts"
    )

    assert [[row["account_id"] for row in page] for page in found] == [
        sorted(account_ids)[:2],
        sorted(account_ids)[2:4],
        sorted(account_ids)[4:],
    ]
    assert found[1][1] == {
        "account_id": account_ids[0],
        "owner_id": owner_id,
        "balance": 77,
        "status": "open",
        "version": 2,
    }


def test_an_owner_without_accounts_has_an_empty_list(client: Client, names: Names) -> None:
    read = client.run(bank.owner_accounts(names.owner()))

    assert (read.status, read.state) == (200, {"accounts": []})
