"""A command that a rule refuses is answered with a stable problem, and nothing is done."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from integration.accounts import Names, accepted, outside
from integration.raw import ask, problem_of
from tidemark.workloads import bank

if TYPE_CHECKING:
    from collections.abc import Callable

    from integration.site import Site
    from tidemark.api.call import Call
    from tidemark.api.client import Client
    from tidemark.workloads.bank_tables import BankTables

LARGEST = 2**53 - 1


def funded(client: Client, names: Names) -> str:
    """An account that holds 500 at version 2."""
    account_id = names.account()
    accepted(client.run(bank.open_account(account_id=account_id, owner_id=names.owner())))
    accepted(client.run(bank.deposit(account_id, 500)))
    return account_id


@pytest.fixture
def account_id(client: Client, names: Names) -> str:
    return funded(client, names)


@pytest.fixture
def unrecorded(client: Client) -> Client:
    """For commands that are sent past every client."""
    return outside(client, "refusals")


@pytest.mark.parametrize(
    ("send", "status", "problem"),
    [
        (lambda one: bank.withdraw(one, 501), 422, "insufficient-funds"),
        (bank.close, 422, "balance-not-zero"),
        (lambda one: bank.deposit(one, LARGEST), 422, "balance-limit"),
        (lambda one: bank.open_account(account_id=one, owner_id=one), 409, "already-exists"),
        (lambda one: bank.deposit(f"{one}.none", 5), 404, "no-such-account"),
        (lambda one: bank.withdraw(f"{one}.none", 5), 404, "no-such-account"),
        (lambda one: bank.close(f"{one}.none"), 404, "no-such-account"),
        (lambda one: bank.deposit(one, 5, expected_version=1), 412, "precondition-failed"),
        (lambda one: bank.deposit(one, 5, expected_version=3), 412, "precondition-failed"),
    ],
)
def test_what_the_rules_do_not_allow_is_refused(
    site: Site,
    client: Client,
    account_id: str,
    send: Callable[[str], Call],
    status: int,
    problem: str,
) -> None:
    op = client.run(send(account_id))

    assert (op.status, op.problem) == (status, problem)
    assert len(site.tables.log(account_id)) == 2
    assert site.tables.log(f"{account_id}.none") == []
    assert op.key is not None
    assert site.command(op.key) is None


@pytest.mark.parametrize(
    "send",
    [
        lambda one: bank.deposit(one, 5),
        lambda one: bank.withdraw(one, 5),
        bank.close,
    ],
    ids=["deposit", "withdrawal", "closure"],
)
def test_a_closed_account_refuses_everything(
    client: Client, tables: BankTables, account_id: str, send: Callable[[str], Call]
) -> None:
    accepted(client.run(bank.withdraw(account_id, 500)))
    accepted(client.run(bank.close(account_id)))

    op = client.run(send(account_id))

    assert (op.status, op.problem) == (422, "account-closed")
    assert len(tables.log(account_id)) == 4


def test_a_command_that_expects_another_version_is_told_the_current_one(
    unrecorded: Client,
) -> None:
    names = Names.of(unrecorded)
    account_id = funded(unrecorded, names)
    answer = ask(
        unrecorded,
        "POST",
        f"/accounts/{account_id}/deposits",
        key=names.key("k"),
        headers={"If-Match": '"7"'},
        body='{"amount": 5}',
    )

    assert (answer.status, answer.headers["etag"]) == (412, '"2"')
    problem = problem_of(answer)
    assert problem is not None
    assert problem["version"] == 2


def test_an_acceptance_says_where_the_account_is_and_at_which_version(
    unrecorded: Client,
) -> None:
    names = Names.of(unrecorded)
    account_id = funded(unrecorded, names)
    answer = ask(
        unrecorded,
        "POST",
        f"/accounts/{account_id}/deposits",
        key=names.key("k"),
        headers={"If-Match": "*"},
        body='{"amount": 5}',
    )

    assert (answer.status, answer.headers["etag"]) == (202, '"3"')
    assert answer.headers["location"].endswith(f"/accounts/{account_id}")
    said = answer.members
    assert said is not None
    assert (said["account_id"], said["version"]) == (account_id, 3)
    assert said["event_id"]
