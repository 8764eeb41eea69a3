"""The transport may duplicate and reorder; the read model does not show it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from integration.accounts import accepted
from integration.facts import await_projected
from integration.ledger import assert_sides_agree, assert_totals_agree
from tidemark.faults.messages import delivered_again, duplicated, message, reordered
from tidemark.faults.plan import REORDERED
from tidemark.workloads import bank

if TYPE_CHECKING:
    from integration.accounts import Names
    from integration.facts import Fact
    from integration.lines import LogReader
    from integration.site import Site
    from tidemark.api.client import Client
    from tidemark.faults.messages import Queue
    from tidemark.workloads.bank_tables import BankTables

SEED = 20261123


def test_a_redelivered_event_is_applied_once(
    client: Client, tables: BankTables, queue: Queue, logged: LogReader, names: Names, site: Site
) -> None:
    facts, owner_id, account_ids = written(client, names)
    await_projected(tables, facts)
    copies = duplicated(messages(tables, account_ids), times=3, seed=SEED)

    with delivered_again(queue, copies, site.history.writer) as sent:
        records = logged.await_records(sent)

    assert {record["outcome"] for record in records.values()} == {"duplicate"}
    assert_right(tables, owner_id, account_ids)


def test_events_that_arrive_out_of_order_are_applied_in_order(
    client: Client,
    tables: BankTables,
    queue: Queue,
    logged: LogReader,
    names: Names,
    site: Site,
) -> None:
    with site.lost_publishes():
        facts, owner_id, account_ids = written(client, names)
        bodies = reordered(messages(tables, account_ids), seed=SEED)
    assert not [one for one in account_ids if tables.account(one)], "nothing was lost"
    bodies += bodies[: len(bodies) // 2]

    with delivered_again(queue, bodies, site.history.writer, fault=REORDERED) as sent:
        logged.await_records(sent)

    await_projected(tables, facts)
    assert_right(tables, owner_id, account_ids)


def test_the_last_event_alone_brings_all_that_came_before_it(
    client: Client,
    tables: BankTables,
    queue: Queue,
    logged: LogReader,
    names: Names,
    site: Site,
) -> None:
    account_id, owner_id = names.account(), names.owner()
    with site.lost_publishes():
        facts = [accepted(client.run(bank.open_account(account_id=account_id, owner_id=owner_id)))]
        facts += [accepted(client.run(bank.deposit(account_id, amount))) for amount in (1, 2, 3)]
    last = messages(tables, [account_id])[-1]

    with delivered_again(queue, [last], site.history.writer, fault=REORDERED) as sent:
        [record] = logged.await_records(sent).values()

    assert (record["outcome"], record["healed"]) == ("applied", [1, 2, 3])
    await_projected(tables, facts)
    assert_right(tables, owner_id, [account_id])


def written(client: Client, names: Names) -> tuple[list[Fact], str, list[str]]:
    """Events on three accounts of one owner, and one of them closed."""
    owner_id = names.owner()
    account_ids = [names.account(f"a{number}") for number in range(3)]
    calls = [bank.open_account(account_id=one, owner_id=owner_id) for one in account_ids]
    for amount in (300, 20, 1):
        calls += [bank.deposit(one, amount) for one in account_ids]
    calls += [bank.withdraw(one, 121) for one in account_ids[:2]]
    calls += [bank.withdraw(account_ids[0], 200), bank.close(account_ids[0])]
    return [accepted(client.run(call)) for call in calls], owner_id, account_ids


def messages(tables: BankTables, account_ids: list[str]) -> list[str]:
    return [message(one, event) for one in account_ids for event in tables.log(one)]


def assert_right(tables: BankTables, owner_id: str, account_ids: list[str]) -> None:
    for account_id in account_ids:
        assert_sides_agree(tables, account_id)
    assert_totals_agree(tables, owner_id, account_ids)
