"""A command that a rule refuses is answered with a stable problem, and nothing is done."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from integration.accounts import accepted
from integration.raw import ask, problem_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from integration.accounts import Names
    from integration.tables import Tables
    from tidemark.api.client import Client
    from tidemark.api.op import Op
    from tidemark.workloads.bank import Bank

LARGEST = 2**53 - 1


@pytest.fixture
def account_id(bank: Bank, names: Names) -> str:
    """An account that holds 500 at version 2."""
    account_id = names.account()
    accepted(bank.open_account(account_id=account_id, owner_id=names.owner()))
    accepted(bank.deposit(account_id, 500))
    return account_id


@pytest.mark.parametrize(
    ("send", "status", "problem"),
    [
        (lambda bank, one: bank.withdraw(one, 501), 422, "insufficient-funds"),
        (lambda bank, one: bank.close(one), 422, "balance-not-zero"),
        (lambda bank, one: bank.deposit(one, LARGEST), 422, "balance-limit"),
        (lambda bank, one: bank.open_account(account_id=one, owner_id=one), 409, "already-exists"),
        (lambda bank, one: bank.deposit(f"{one}.none", 5), 404, "no-such-account"),
        (lambda bank, one: bank.withdraw(f"{one}.none", 5), 404, "no-such-account"),
        (lambda bank, one: bank.close(f"{one}.none"), 404, "no-such-account"),
        (lambda bank, one: bank.deposit(one, 5, expected_version=1), 412, "precondition-failed"),
        (lambda bank, one: bank.deposit(one, 5, expected_version=3), 412, "precondition-failed"),
    ],
)
def test_what_the_rules_do_not_allow_is_refused(
    bank: Bank,
    tables: Tables,
    account_id: str,
    send: Callable[[Bank, str], Op],
    status: int,
    problem: str,
) -> None:
    op = send(bank, account_id)

    assert (op.status, op.problem) == (status, problem)
    assert len(tables.log(account_id)) == 2
    assert tables.log(f"{account_id}.none") == []
    assert op.key is not None
    assert tables.command(op.key) is None


@pytest.mark.parametrize(
    "send",
    [
        lambda bank, one: bank.deposit(one, 5),
        lambda bank, one: bank.withdraw(one, 5),
        lambda bank, one: bank.close(one),
    ],
    ids=["deposit", "withdrawal", "closure"],
)
def test_a_closed_account_refuses_everything(
    bank: Bank, tables: Tables, account_id: str, send: Callable[[Bank, str], Op]
) -> None:
    accepted(bank.withdraw(account_id, 500))
    accepted(bank.close(account_id))

    op = send(bank, account_id)

    assert (op.status, op.problem) == (422, "account-closed")
    assert len(tables.log(account_id)) == 4


def test_a_command_that_expects_another_version_is_told_the_current_one(
    tidemark_client: Client, names: Names, account_id: str
) -> None:
    answer = ask(
        tidemark_client,
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
    tidemark_client: Client, names: Names, account_id: str
) -> None:
    answer = ask(
        tidemark_client,
        "POST",
        f"/accounts/{account_id}/deposits",
        key=names.key("k"),
        headers={"If-Match": "*"},
        body='{"amount": 5}',
    )

    assert (answer.status, answer.headers["etag"]) == (202, '"3"')
    assert answer.headers["location"].endswith(f"/accounts/{account_id}")
    said = answer.members()
    assert said is not None
    assert (said["account_id"], said["version"]) == (account_id, 3)
    assert said["event_id"]
