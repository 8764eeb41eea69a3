"""The projection's rule: what one event changes on the query side."""

from dataclasses import dataclass

from functions.domain.account import (
    Account,
    AccountClosed,
    AccountOpened,
    Event,
    FundsDeposited,
    FundsWithdrawn,
    Status,
)


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One line of an account's statement: what moved, and what the account holds since."""

    amount: int
    balance: int


@dataclass(frozen=True, slots=True)
class TotalsChange:
    """What is added to an owner's totals."""

    accounts: int
    balance: int


@dataclass(frozen=True, slots=True)
class Effect:
    """What one event does to its account's row, statement and owner's totals."""

    account: Account
    line: StatementLine
    totals: TotalsChange


def effect_of(event: Event) -> Effect:
    """Turn an event into what it changes on the query side.

    The event alone is enough: it carries the balance that it leaves behind, so the account after
    it is the one that `evolve` folds from all events up to it.

    Raises:
        ValueError: there is no rule for this type of event.
    """
    match event:
        case AccountOpened():
            return _effect(event, accounts=1)
        case FundsDeposited(amount=amount, balance=balance):
            return _effect(event, amount=amount, balance=balance, moved=amount)
        case FundsWithdrawn(amount=amount, balance=balance):
            return _effect(event, amount=amount, balance=balance, moved=-amount)
        case AccountClosed():
            return _effect(event, status=Status.CLOSED)
    raise ValueError(f"no rule says what {type(event).__name__} changes on the query side")


def _effect(
    event: Event,
    *,
    amount: int = 0,
    balance: int = 0,
    moved: int = 0,
    accounts: int = 0,
    status: Status = Status.OPEN,
) -> Effect:
    # Opening and closing leave a balance of zero behind: the rules see to that.
    return Effect(
        account=Account(event.account_id, event.owner_id, event.version, balance, status),
        line=StatementLine(amount, balance),
        totals=TotalsChange(accounts, moved),
    )
