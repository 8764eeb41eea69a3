"""What the command side accepted, the query side has in the end: the same facts, once each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from integration.accounts import accepted
from integration.facts import await_projected

if TYPE_CHECKING:
    from integration.accounts import Names
    from integration.tables import Tables
    from tidemark.workloads.bank import Bank


def test_an_accepted_command_reaches_the_query_table(
    bank: Bank, tables: Tables, names: Names
) -> None:
    account_id, owner_id = names.account(), names.owner()
    opened = accepted(bank.open_account(account_id=account_id, owner_id=owner_id))
    deposited = accepted(bank.deposit(account_id, 700))

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
    assert line["recorded_at"] == event["recorded_at"]
    assert event["projected_at"] >= event["recorded_at"]
    assert "outbox" not in event
