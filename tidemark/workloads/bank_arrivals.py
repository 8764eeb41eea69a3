"""The bank's open model: each arrival is a call that the seed and its place decide alone."""

from __future__ import annotations

from bisect import bisect
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import accumulate
from typing import TYPE_CHECKING

from tidemark.workloads import bank
from tidemark.workloads.bank_traffic import Newest, weighted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from tidemark.api.call import Call

OPERATIONS = ("deposit", "withdraw", "account", "statement", "totals")
"""What may arrive; accounts are opened before."""

CHOICES = ("uniform", "zipfian", "hot")
"""How one of many is chosen.

`zipfian`: the n-th is chosen 1/n^0.99 as often as the first, as in YCSB (Cooper et al., SoCC
2010). `hot`: the first of them half of the time, another one else.
"""

_ZIPFIAN_EXPONENT = 0.99
_HOT_SHARE = 0.5
_LARGEST_AMOUNT = 100
_BY_TOKEN_OF = 3
_FUNDS = 1_000_000_000
"""More than is withdrawn in a run: a refusal for want of funds would be no load."""


@dataclass(frozen=True)
class Population:
    """The accounts that calls are for, and their owners.

    Attributes:
        accounts: How many accounts there are.
        account_choice: How a call's account is chosen, one of `CHOICES`.
        owners: How many owners they belong to.
        owner_choice: How an account's owner is chosen.
    """

    accounts: int
    account_choice: str
    owners: int
    owner_choice: str

    def account_at(self, chance: float) -> int:
        """Return the place of an account, from 0, for a chance from 0 up to 1."""
        return bisect(self._account_bounds, chance, hi=self.accounts - 1)

    def owner_of(self, account: int) -> int:
        """Return the place of an account's owner, from 0."""
        # Evenly over the chances, so that every seed gives owners the same shares.
        chance = (account + 0.5) / self.accounts
        return bisect(self._owner_bounds, chance, hi=self.owners - 1)

    @property
    def hottest(self) -> tuple[float, float]:
        """Which share of all calls is for one account at most, and for one owner's accounts."""
        account = self._account_bounds[0]
        return account, max(account, self._owner_bounds[0])

    @cached_property
    def _account_bounds(self) -> Sequence[float]:
        return _bounds(self.accounts, self.account_choice)

    @cached_property
    def _owner_bounds(self) -> Sequence[float]:
        return _bounds(self.owners, self.owner_choice)


def _bounds(many: int, choice: str) -> Sequence[float]:
    """Return up to which chance each one is chosen."""
    weights = [1.0] * many
    if choice == "zipfian":
        weights = [1 / (place + 1) ** _ZIPFIAN_EXPONENT for place in range(many)]
    elif choice == "hot" and many > 1:
        weights = [_HOT_SHARE, *[(1 - _HOT_SHARE) / (many - 1)] * (many - 1)]
    whole = sum(weights)
    return [bound / whole for bound in accumulate(weights)]


@dataclass(frozen=True)
class Traffic:
    """The calls of a run.

    Attributes:
        run_id: What all ids begin with.
        population: The accounts.
        mix: The weight of each of `OPERATIONS`.
    """

    run_id: str
    population: Population
    mix: Mapping[str, float]

    def openings(self, account: int) -> Iterator[Call]:
        """Yield what an account needs before it is called for: it is opened, and gets funds."""
        owner_id = self._owner_id(self.population.owner_of(account))
        yield bank.open_account(owner_id=owner_id, account_id=self.account_id(account))
        yield bank.deposit(self.account_id(account), _FUNDS)

    def call(self, chances: tuple[float, float, float]) -> Call:
        """Return the call of an arrival.

        Args:
            chances: Three numbers from 0 up to 1, which decide operation, account and amount.
        """
        which, where, size = chances
        account = self.population.account_at(where)
        account_id = self.account_id(account)
        amount = 1 + int(size * _LARGEST_AMOUNT)
        match self._operation(which):
            case "deposit":
                return bank.deposit(account_id, amount)
            case "withdraw":
                return bank.withdraw(account_id, amount)
            case "account":
                return _read(account_id)
            case "statement":
                return bank.statement(account_id)
            case _:
                return bank.owner_totals(self._owner_id(self.population.owner_of(account)))

    @cached_property
    def _operation(self) -> Callable[[float], str]:
        return weighted(self.mix)

    def account_id(self, account: int) -> str:
        """Return the id of the account at a place."""
        return f"{self.run_id}.a{account + 1}"

    def _owner_id(self, owner: int) -> str:
        return f"{self.run_id}.o{owner + 1}"


@lru_cache(maxsize=4096)
def _read(account_id: str, version: int | None = None) -> Call:
    """The same read for the same account and token: what it says in HTTP is made once."""
    return bank.account(account_id, min_version=version)


class Known(Newest):
    """The newest version of each account that one session knows of: some of its reads must see it.

    Which calls arrive, the seed alone decides; whether a read of an account has a token hangs on
    what its session was told before.

    Args:
        place: The session's place among all, from 1: others begin with another of the three.
    """

    def __init__(self, place: int) -> None:
        super().__init__()
        self._reads = place

    def asked(self, call: Call) -> Call:
        """A call as this session makes it: each third read of an account it knows has a token."""
        if call.operation != "account" or (newest := self.of(call.aggregate)) is None:
            return call
        self._reads += 1
        return call if self._reads % _BY_TOKEN_OF else _read(call.aggregate or "", newest)
