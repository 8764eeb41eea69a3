"""What a customer of the bank does next: draws of operations from a seed."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from tidemark.api.op import Op, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from random import Random

    from tidemark.workloads.bank import Bank

WRITES: Mapping[str, float] = {"open": 0.05, "deposit": 0.60, "withdraw": 0.35}
READS: Mapping[str, float] = {"account": 0.70, "statement": 0.20, "totals": 0.10}

REFUSALS = frozenset({"busy", "behind", "insufficient-funds", "no-such-account"})
"""What the bank answers in good health to this traffic.

`no-such-account` is a read of an account that was just opened and is not projected yet.
"""

_ANOTHERS_ACCOUNT = 0.10
_TOO_MUCH = 0.05
_LARGEST_AMOUNT = 10_000
_MOST_TRIES = 3


def mixed(read_share: float) -> Mapping[str, float]:
    """Return a mix of reads and writes.

    Args:
        read_share: The share of reads, from 0 to 1.
    """
    reads = {name: weight * read_share for name, weight in READS.items()}
    writes = {name: weight * (1 - read_share) for name, weight in WRITES.items()}
    return reads | writes


@dataclass
class Accounts:
    """The accounts of a run that may be read and deposited to, shared by its customers."""

    ids: list[str] = field(default_factory=list)


class Customer:
    """One session: opens accounts, moves money, reads; one call at a time.

    It withdraws only from its own accounts and only what it knows to be there, except for one
    time in twenty, so that a refusal means what it says. A command of unknown outcome is sent
    again with its key, at most twice; if it stays unknown, its account is left alone.

    Args:
        bank: The bank, over a client of this session.
        rng: Where every draw comes from.
        mix: The weight of each operation.
        prefix: What every id and key of this customer begins with; unique to it.
        owner_id: Who owns the accounts it opens.
        accounts: The accounts of all customers.
    """

    def __init__(
        self,
        bank: Bank,
        *,
        rng: Random,
        mix: Mapping[str, float],
        prefix: str,
        owner_id: str,
        accounts: Accounts,
    ) -> None:
        self._bank = bank
        self._rng = rng
        self._names = list(mix)
        self._weights = list(mix.values())
        self._prefix = prefix
        self._owner_id = owner_id
        self._accounts = accounts
        self._balances: dict[str, int] = {}
        self._commands = 0
        self._unknown: _Command | None = None

    def call(self) -> Op:
        """Make the next call and return its op."""
        if self._unknown is not None:
            return self._sent(self._unknown)
        name = self._rng.choices(self._names, self._weights)[0]
        is_without_account = not (self._balances if name in WRITES else self._accounts.ids)
        return self._make("open" if is_without_account else name)

    def _make(self, name: str) -> Op:
        match name:
            case "open":
                return self._open()
            case "deposit":
                return self._deposit()
            case "withdraw":
                return self._withdraw()
            case "account":
                return self._bank.account(self._anyones())
            case "statement":
                return self._bank.statement(self._anyones())
            case "totals":
                return self._bank.owner_totals(self._owner_id)
            case _:
                raise ValueError(f"A customer knows no operation {name!r}.")

    def _open(self) -> Op:
        key = self._key()
        account_id = f"{key}-account"
        send = partial(self._bank.open_account, owner_id=self._owner_id, account_id=account_id)
        return self._sent(_Command(send, key, account_id, opens=True))

    def _deposit(self) -> Op:
        is_anothers = self._rng.random() < _ANOTHERS_ACCOUNT
        account_id = self._anyones() if is_anothers else self._rng.choice(list(self._balances))
        amount = self._rng.randint(1, _LARGEST_AMOUNT)
        send = partial(self._bank.deposit, account_id, amount)
        return self._sent(_Command(send, self._key(), account_id, change=amount))

    def _withdraw(self) -> Op:
        funded = [account_id for account_id, balance in self._balances.items() if balance > 0]
        if not funded:
            return self._deposit()
        account_id = self._rng.choice(funded)
        balance = self._balances[account_id]
        is_too_much = self._rng.random() < _TOO_MUCH
        amount = balance + _LARGEST_AMOUNT if is_too_much else self._rng.randint(1, balance)
        send = partial(self._bank.withdraw, account_id, amount)
        return self._sent(_Command(send, self._key(), account_id, change=-amount))

    def _sent(self, command: _Command) -> Op:
        op = command.send(idempotency_key=command.key)
        self._unknown = None
        if op.outcome is Outcome.OK:
            if command.opens:
                self._accounts.ids.append(command.account_id)
                self._balances[command.account_id] = 0
            elif command.account_id in self._balances:
                self._balances[command.account_id] += command.change
        elif op.outcome is Outcome.INFO and command.tries < _MOST_TRIES:
            self._unknown = replace(command, tries=command.tries + 1)
        elif op.outcome is Outcome.INFO:
            self._balances.pop(command.account_id, None)
        return op

    def _anyones(self) -> str:
        return self._rng.choice(self._accounts.ids)

    def _key(self) -> str:
        self._commands += 1
        return f"{self._prefix}-{self._commands}"


@dataclass(frozen=True)
class _Command:
    """A command as it is sent, and sent again.

    Attributes:
        send: Sends it, given its key.
        key: Its idempotency key.
        account_id: The account it is for.
        change: What it does to the balance.
        opens: Whether it opens the account.
        tries: How many times it has been sent, with the sending it stands for.
    """

    send: Callable[..., Op]
    key: str
    account_id: str
    change: int = 0
    opens: bool = False
    tries: int = 1
