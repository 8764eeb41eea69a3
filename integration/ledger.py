"""What both sides must agree on: an account by its log, its head, and what the query side has."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tidemark.workloads.bank_items import line_key

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tidemark.workloads.bank_items import Event
    from tidemark.workloads.bank_tables import BankTables


class Balance(NamedTuple):
    """An account after an event."""

    version: int
    balance: int
    status: str


_SIGN = {"AccountOpened": 0, "FundsDeposited": 1, "FundsWithdrawn": -1, "AccountClosed": 0}


def fold(log: Iterable[Event]) -> list[Balance]:
    """The account after each event of its log."""
    balances: list[Balance] = []
    balance = 0
    for event in log:
        balance += _SIGN[event.type] * event.data.get("amount", 0)
        status = "closed" if event.type == "AccountClosed" else "open"
        balances.append(Balance(event.key.version, balance, status))
    return balances


def assert_sides_agree(tables: BankTables, account_id: str) -> Balance:
    """The log has no gap, and head, row and statement lines say what it says.

    Holds once the account's last event is projected; wait for that first.
    """
    log = tables.log(account_id)
    assert log, f"{account_id} has no events"
    folded = fold(log)
    assert [one.version for one in folded] == list(range(1, len(log) + 1))
    assert min(one.balance for one in folded) >= 0
    last, owner_id = folded[-1], log[0].owner_id

    head = tables.head(account_id)
    assert head is not None
    assert Balance(head["version"], head["balance"], head["status"]) == last
    assert head["owner_id"] == owner_id

    row = tables.account(account_id)
    assert row is not None
    assert Balance(row["version"], row["balance"], row["status"]) == last
    assert row["owner_id"] == owner_id

    lines = tables.lines(account_id)
    assert [(line["sk"], line["type"], line["amount"], line["balance"]) for line in lines] == [
        (
            line_key(account_id, after.version)["sk"]["S"],
            event.type,
            event.data.get("amount", 0),
            after.balance,
        )
        for event, after in zip(log, folded, strict=True)
    ]
    assert [line["recorded_at"] for line in lines] == [event.recorded_at_ms for event in log]
    assert not [event.key for event in log if event.mark or event.projected_at_ms is None]
    return last


def assert_totals_agree(tables: BankTables, owner_id: str, account_ids: Iterable[str]) -> None:
    """The owner's totals are the sum over these accounts, as their logs have them."""
    balances = [fold(tables.log(account_id))[-1].balance for account_id in account_ids]
    totals = tables.totals(owner_id)
    assert totals is not None
    assert (totals["accounts"], totals["balance"]) == (len(balances), sum(balances))
