"""Many writers on one account: none is lost, none is done twice."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from integration.accounts import accepted, beside
from integration.facts import await_projected
from integration.ledger import assert_sides_agree, assert_totals_agree
from tidemark.api.op import Outcome
from tidemark.workloads import bank

if TYPE_CHECKING:
    from integration.accounts import Names
    from tidemark.api.client import Client
    from tidemark.api.op import Op
    from tidemark.workloads.bank_tables import BankTables

WRITERS = 20


def test_each_of_twenty_concurrent_writers_is_accepted_or_told_that_the_account_is_busy(
    client: Client, tables: BankTables, names: Names
) -> None:
    account_id, owner_id = names.account(), names.owner()
    opened = accepted(client.run(bank.open_account(account_id=account_id, owner_id=owner_id)))

    def deposit(amount: int) -> Op:
        return beside(client, amount).run(bank.deposit(account_id, amount))

    with ThreadPoolExecutor(WRITERS) as pool:
        ops = list(pool.map(deposit, range(1, WRITERS + 1)))

    done = [op for op in ops if op.outcome is Outcome.OK]
    others = [op for op in ops if op.outcome is not Outcome.OK]
    assert {(op.status, op.problem) for op in others} <= {(409, "busy")}
    assert done
    facts = [accepted(op) for op in done]
    assert sorted(fact.version for fact in facts) == list(range(2, len(done) + 2))
    await_projected(tables, [opened, *facts])
    after = assert_sides_agree(tables, account_id)
    amounts = [amount for amount, op in enumerate(ops, 1) if op.outcome is Outcome.OK]
    assert after == (len(done) + 1, sum(amounts), "open")
    assert_totals_agree(tables, owner_id, [account_id])


def test_of_concurrent_commands_pinned_to_one_version_exactly_one_is_accepted(
    client: Client, tables: BankTables, names: Names
) -> None:
    account_id = names.account()
    accepted(client.run(bank.open_account(account_id=account_id, owner_id=names.owner())))

    def deposit(amount: int) -> Op:
        call = bank.deposit(account_id, amount, expected_version=1)
        return beside(client, amount).run(call)

    with ThreadPoolExecutor(6) as pool:
        ops = list(pool.map(deposit, range(1, 7)))

    facts = [accepted(op) for op in ops if op.outcome is Outcome.OK]
    refused = [op for op in ops if op.outcome is not Outcome.OK]
    assert [fact.version for fact in facts] == [2]
    assert {(op.status, op.problem, op.version) for op in refused} == {
        (412, "precondition-failed", 2)
    }
    await_projected(tables, facts)
    assert assert_sides_agree(tables, account_id).version == 2


def test_concurrent_openings_of_one_account_make_one_account(
    client: Client, tables: BankTables, names: Names
) -> None:
    account_id, owner_id = names.account(), names.owner()

    def open_account(number: int) -> Op:
        call = bank.open_account(account_id=account_id, owner_id=owner_id)
        return beside(client, number).run(call)

    with ThreadPoolExecutor(6) as pool:
        ops = list(pool.map(open_account, range(6)))

    facts = [accepted(op) for op in ops if op.outcome is Outcome.OK]
    refused = [op for op in ops if op.outcome is not Outcome.OK]
    assert len(facts) == 1
    assert {(op.status, op.problem) for op in refused} == {(409, "already-exists")}
    await_projected(tables, facts)
    assert_sides_agree(tables, account_id)
    assert_totals_agree(tables, owner_id, [account_id])
