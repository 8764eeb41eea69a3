"""The version that a command answers is a token: a read with it is never older."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from integration.accounts import accepted
from integration.facts import await_projected
from integration.raw import ask
from tidemark.workloads import bank

if TYPE_CHECKING:
    from integration.accounts import Names
    from integration.site import Site
    from tidemark.api.client import Client
    from tidemark.workloads.bank_tables import BankTables

LONGEST_WAIT_MS = 5000


def test_a_read_with_the_token_sees_the_write_it_stands_for(client: Client, names: Names) -> None:
    account_id = names.account()
    balance = 0
    accepted(client.run(bank.open_account(account_id=account_id, owner_id=names.owner())))
    for amount in range(1, 9):
        balance += amount
        version = accepted(client.run(bank.deposit(account_id, amount))).version

        read = client.poll(bank.account(account_id, min_version=version, wait_ms=LONGEST_WAIT_MS))

        assert (read.status, read.version) == (200, version)
        assert read.state is not None
        assert (read.state["balance"], read.state["version"]) == (balance, version)


def test_a_read_ahead_of_the_read_model_is_told_how_far_it_is(
    client: Client, tables: BankTables, names: Names
) -> None:
    account_id = names.account()
    opened = accepted(client.run(bank.open_account(account_id=account_id, owner_id=names.owner())))
    await_projected(tables, [opened])

    read = client.run(bank.account(account_id, min_version=2))

    assert (read.status, read.problem, read.version) == (409, "behind", 1)


def test_an_account_that_the_read_model_never_heard_of_counts_as_version_zero(
    client: Client, names: Names
) -> None:
    behind = client.run(bank.account(names.account(), min_version=1, wait_ms=50))
    unknown = client.run(bank.account(names.account()))
    nothing = client.run(bank.account(names.account(), min_version=0))

    assert (behind.status, behind.problem, behind.version) == (409, "behind", 0)
    assert (unknown.status, unknown.problem) == (404, "no-such-account")
    assert (nothing.status, nothing.problem) == (404, "no-such-account")


def test_behind_is_honest_while_the_event_is_on_its_way(site: Site, names: Names) -> None:
    account_id = names.account()
    accepted(site.client.run(bank.open_account(account_id=account_id, owner_id=names.owner())))
    read = site.client.poll(bank.account(account_id, min_version=1, wait_ms=LONGEST_WAIT_MS))
    assert read.status == 200
    with site.lost_publishes():
        lost = accepted(site.client.run(bank.deposit(account_id, 5)))

    behind = site.client.run(bank.account(account_id, min_version=lost.version, wait_ms=100))

    assert (behind.status, behind.problem, behind.version) == (409, "behind", 1)
    # The next event heals the gap that the lost one left.
    later = accepted(site.client.run(bank.deposit(account_id, 6)))
    await_projected(site.tables, [lost, later])
    read = site.client.run(bank.account(account_id, min_version=later.version))
    assert read.state is not None
    assert (read.status, read.state["balance"]) == (200, 11)


@pytest.mark.parametrize("query", ["min_version=2", "min_version=2&wait_ms=30"])
def test_behind_says_when_to_try_again(client: Client, names: Names, query: str) -> None:
    answer = ask(client, "GET", f"/accounts/{names.account()}?{query}")

    assert answer.status == 409
    assert int(answer.headers["retry-after"]) >= 1


def test_an_etag_is_the_token(client: Client, names: Names) -> None:
    account_id = names.account()
    accepted(client.run(bank.open_account(account_id=account_id, owner_id=names.owner())))
    client.poll(bank.account(account_id, min_version=1, wait_ms=LONGEST_WAIT_MS))

    answer = ask(client, "GET", f"/accounts/{account_id}?min_version=1")

    assert (answer.status, answer.headers["etag"]) == (200, '"1"')
