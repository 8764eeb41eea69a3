"""The rules of an account, by example."""

import pytest

from functions.domain.account import (
    LARGEST_AMOUNT,
    Account,
    AccountClosed,
    AccountOpened,
    CloseAccount,
    Command,
    Deposit,
    Event,
    FundsDeposited,
    FundsWithdrawn,
    NotStartedError,
    OpenAccount,
    Rule,
    Stamp,
    Status,
    Withdraw,
    decide,
    evolve,
)

STAMP = Stamp(event_id="e-1", command_id="k-1", recorded_at=1_000)


def account(*, version: int = 3, balance: int = 100, status: Status = Status.OPEN) -> Account:
    return Account("a", "o", version, balance, status)


def decided(before: Account | None, command: Command) -> Event:
    return decide(before, command, STAMP)


def test_opening_makes_the_first_event() -> None:
    event = decided(None, OpenAccount("a", "o"))
    assert event == AccountOpened(
        event_id="e-1",
        command_id="k-1",
        account_id="a",
        owner_id="o",
        version=1,
        recorded_at=1_000,
    )
    assert evolve(None, event) == account(version=1, balance=0)


def test_a_deposit_adds_and_carries_the_balance() -> None:
    event = decided(account(), Deposit("a", 5))
    assert isinstance(event, FundsDeposited)
    assert (event.version, event.amount, event.balance, event.owner_id) == (4, 5, 105, "o")
    assert evolve(account(), event) == account(version=4, balance=105)


def test_a_withdrawal_may_empty_the_account() -> None:
    event = decided(account(), Withdraw("a", 100))
    assert isinstance(event, FundsWithdrawn)
    assert (event.version, event.amount, event.balance) == (4, 100, 0)
    assert evolve(account(), event) == account(version=4, balance=0)


def test_closing_needs_and_keeps_a_balance_of_zero() -> None:
    event = decided(account(balance=0), CloseAccount("a"))
    assert isinstance(event, AccountClosed)
    assert evolve(account(balance=0), event) == account(version=4, balance=0, status=Status.CLOSED)


def test_a_balance_may_reach_its_limit() -> None:
    event = decided(account(balance=0), Deposit("a", LARGEST_AMOUNT))
    assert isinstance(event, FundsDeposited)
    assert event.balance == LARGEST_AMOUNT


CLOSED = account(balance=0, status=Status.CLOSED)


@pytest.mark.parametrize(
    ("before", "command", "rule"),
    [
        (account(), OpenAccount("a", "o"), Rule.ALREADY_EXISTS),
        (CLOSED, OpenAccount("a", "o"), Rule.ALREADY_EXISTS),
        (None, Deposit("a", 1), Rule.NO_SUCH_ACCOUNT),
        (None, Withdraw("a", 1), Rule.NO_SUCH_ACCOUNT),
        (None, CloseAccount("a"), Rule.NO_SUCH_ACCOUNT),
        (account(), Withdraw("a", 101), Rule.INSUFFICIENT_FUNDS),
        (account(), CloseAccount("a"), Rule.BALANCE_NOT_ZERO),
        (account(), Deposit("a", LARGEST_AMOUNT - 99), Rule.BALANCE_LIMIT),
        (CLOSED, Deposit("a", 1), Rule.ACCOUNT_CLOSED),
        (CLOSED, Withdraw("a", 1), Rule.ACCOUNT_CLOSED),
        (CLOSED, CloseAccount("a"), Rule.ACCOUNT_CLOSED),
    ],
)
def test_a_rule_refuses(before: Account | None, command: Command, rule: Rule) -> None:
    with pytest.raises(NotStartedError) as refused:
        decided(before, command)
    assert refused.value.rule is rule


def test_an_event_out_of_order_is_not_applied() -> None:
    event = decided(account(version=5), Deposit("a", 1))
    with pytest.raises(ValueError, match="event 6 does not follow version 3"):
        evolve(account(version=3), event)


def test_only_an_opening_can_be_first() -> None:
    deposit = FundsDeposited(
        event_id="e",
        command_id="k",
        account_id="a",
        owner_id="o",
        version=1,
        recorded_at=1,
        amount=1,
        balance=1,
    )
    with pytest.raises(ValueError, match="FundsDeposited cannot be event 1"):
        evolve(None, deposit)
