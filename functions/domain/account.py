"""A bank account: what may be asked of it, what happened to it, and the rules in between.

Amounts and balances are integers in minor units. An account is the fold of its events
(`evolve`); a command either becomes the next event or is refused (`decide`).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

LARGEST_AMOUNT = 2**53 - 1
"""The largest amount and balance: the largest integer that every JSON reader keeps exact."""


class Status(StrEnum):
    """Whether an account still accepts commands."""

    OPEN = "open"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Account:
    """The state of one account after its event number `version`."""

    account_id: str
    owner_id: str
    version: int
    balance: int
    status: Status


@dataclass(frozen=True, slots=True)
class OpenAccount:
    """A request to open the account for an owner."""

    account_id: str
    owner_id: str


@dataclass(frozen=True, slots=True)
class Deposit:
    """A request to add an amount to the account."""

    account_id: str
    amount: int


@dataclass(frozen=True, slots=True)
class Withdraw:
    """A request to take an amount from the account."""

    account_id: str
    amount: int


@dataclass(frozen=True, slots=True)
class CloseAccount:
    """A request to close the account for good."""

    account_id: str


Command = OpenAccount | Deposit | Withdraw | CloseAccount


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a decision needs from outside: who asked, as which event, and when (UTC ms)."""

    event_id: str
    command_id: str
    recorded_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A fact: change number `version` of an account, recorded at a time (UTC ms)."""

    event_id: str
    command_id: str
    account_id: str
    owner_id: str
    version: int
    recorded_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountOpened(Event):
    """The account exists from now on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FundsDeposited(Event):
    """The amount was added; `balance` is what the account holds since."""

    amount: int
    balance: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FundsWithdrawn(Event):
    """The amount was taken; `balance` is what the account holds since."""

    amount: int
    balance: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountClosed(Event):
    """The account accepts nothing from now on."""


class Rule(StrEnum):
    """The rules that refuse commands."""

    ALREADY_EXISTS = "already-exists"
    NO_SUCH_ACCOUNT = "no-such-account"
    ACCOUNT_CLOSED = "account-closed"
    INSUFFICIENT_FUNDS = "insufficient-funds"
    BALANCE_LIMIT = "balance-limit"
    BALANCE_NOT_ZERO = "balance-not-zero"


class NotStartedError(Exception):
    """A rule does not allow the command: nothing happened."""

    def __init__(self, rule: Rule, detail: str) -> None:
        super().__init__(detail)
        self.rule = rule
        self.detail = detail


def decide(account: Account | None, command: Command, stamp: Stamp) -> Event:
    """Turn a command into the event it causes.

    Args:
        account: the account as it is, or None where there is none.
        command: what is asked.
        stamp: the identity and the time of the event.

    Returns:
        The next event of the account.

    Raises:
        NotStartedError: a rule does not allow the command.
    """
    if isinstance(command, OpenAccount):
        if account is not None:
            raise NotStartedError(
                Rule.ALREADY_EXISTS, f"account {account.account_id} exists already"
            )
        return AccountOpened(
            event_id=stamp.event_id,
            command_id=stamp.command_id,
            account_id=command.account_id,
            owner_id=command.owner_id,
            version=1,
            recorded_at=stamp.recorded_at,
        )
    if account is None:
        raise NotStartedError(Rule.NO_SUCH_ACCOUNT, f"there is no account {command.account_id}")
    return _decide_on_existing(account, command, stamp)


def _decide_on_existing(
    account: Account, command: Deposit | Withdraw | CloseAccount, stamp: Stamp
) -> Event:
    if account.status is Status.CLOSED:
        raise NotStartedError(Rule.ACCOUNT_CLOSED, f"account {account.account_id} is closed")
    match command:
        case Deposit(amount=amount):
            balance = account.balance + amount
            if balance > LARGEST_AMOUNT:
                raise NotStartedError(
                    Rule.BALANCE_LIMIT,
                    f"a deposit of {amount} would lift the balance of {account.balance} "
                    f"above {LARGEST_AMOUNT}",
                )
            return _next(FundsDeposited, account, stamp, amount=amount, balance=balance)
        case Withdraw(amount=amount):
            balance = account.balance - amount
            if balance < 0:
                raise NotStartedError(
                    Rule.INSUFFICIENT_FUNDS,
                    f"a withdrawal of {amount} exceeds the balance of {account.balance}",
                )
            return _next(FundsWithdrawn, account, stamp, amount=amount, balance=balance)
        case CloseAccount():
            if account.balance:
                raise NotStartedError(
                    Rule.BALANCE_NOT_ZERO,
                    f"closing needs a balance of zero, and it is {account.balance}",
                )
            return _next(AccountClosed, account, stamp)


def _next(fact: Callable[..., Event], account: Account, stamp: Stamp, **data: int) -> Event:
    return fact(
        event_id=stamp.event_id,
        command_id=stamp.command_id,
        account_id=account.account_id,
        owner_id=account.owner_id,
        version=account.version + 1,
        recorded_at=stamp.recorded_at,
        **data,
    )


def evolve(account: Account | None, event: Event) -> Account:
    """Apply the next event of an account to its state.

    Args:
        account: the state before the event, None before the first.
        event: the event that follows.

    Returns:
        The state after the event.

    Raises:
        ValueError: the event does not follow that state.
    """
    before = 0 if account is None else account.version
    if event.version != before + 1:
        raise ValueError(f"event {event.version} does not follow version {before}")
    match event:
        case AccountOpened():
            return Account(event.account_id, event.owner_id, 1, 0, Status.OPEN)
        case FundsDeposited(amount=amount) if account is not None:
            return replace(account, version=event.version, balance=account.balance + amount)
        case FundsWithdrawn(amount=amount) if account is not None:
            return replace(account, version=event.version, balance=account.balance - amount)
        case AccountClosed() if account is not None:
            return replace(account, version=event.version, status=Status.CLOSED)
    raise ValueError(f"{type(event).__name__} cannot be event {event.version} of an account")
