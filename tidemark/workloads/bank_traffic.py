"""What a customer of the bank does next: calls drawn from a seed."""

from __future__ import annotations

from bisect import bisect
from dataclasses import dataclass, replace
from itertools import accumulate
from random import Random
from typing import TYPE_CHECKING, Any

from tidemark.api.op import Outcome
from tidemark.workloads import bank

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tidemark.api.call import Call
    from tidemark.api.op import Op

WRITES: Mapping[str, float] = {"open": 0.05, "deposit": 0.60, "withdraw": 0.35}
READS: Mapping[str, float] = {"account": 0.70, "statement": 0.20, "totals": 0.10}

REFUSALS = frozenset({"busy", "behind", "insufficient-funds", "key-reused", "no-such-account"})
"""What the bank answers in good health to this traffic.

`no-such-account`: what another customer opens may not be open, or not be projected, yet.
"""

_OWNERS = 3
_PEERS_ACCOUNT = 0.10
_TOO_MUCH = 0.05
_ONCE_MORE = 0.03
_OTHERWISE = 0.01
_BY_TOKEN = 0.30
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


@dataclass(frozen=True)
class _Draw:
    """The chances of one decision, as many whatever is made of them: each from 0 up to 1."""

    operation: float
    peer: float
    account: float
    size: float
    more: float


class Newest:
    """The newest version of each account that one session was told of."""

    def __init__(self) -> None:
        self._versions: dict[str, int] = {}

    def of(self, account_id: str | None) -> int | None:
        """What a read of an account must see at least; None of one that it knows nothing of."""
        return self._versions.get(account_id or "")

    def learn(self, op: Op) -> None:
        """Take in which version a write made, or a read saw: no other answer says one."""
        if op.version is not None and op.aggregate is not None and op.outcome is Outcome.OK:
            self._versions[op.aggregate] = max(op.version, self._versions.get(op.aggregate, 0))


class Customer:
    """One person: opens accounts, moves money, reads; ask for the `next` call, `learn` its op.

    What it does is a function of the seed, its place among the customers and the answers that it
    got, and of nothing that others do meanwhile: the accounts of others that it reads and
    deposits to are those which customers before it open first. It withdraws from its own
    accounts only, and only what it knows to be there, except for one time in twenty, when it is
    more than any account can hold; so a refusal means what it says. A command of unknown outcome
    is sent again with its key, at most twice; if it stays unknown, its account is left alone.
    One whose outcome is known is sent once more now and then, and one time in a hundred for
    another amount, which must not happen if the first has. Some reads of accounts wait for the
    newest version that it knows of, and this alone depends on what others do there.

    Args:
        place: Its place among the customers, from 1.
        seed: Where every draw of every customer comes from.
        mix: The weight of each operation.
        run_id: What the ids of all customers begin with.
    """

    def __init__(self, place: int, *, seed: str, mix: Mapping[str, float], run_id: str) -> None:
        self._rng = Random(f"{seed}/{place}")  # noqa: S311 -- reproducible draws, not secrets
        self._operation = weighted(mix)
        self._run_id = run_id
        self.place = place
        self._owner_id = f"{run_id}.owner{place % _OWNERS + 1}"
        self._opened = 0
        self._balances: dict[str, int] = {}
        self._newest = Newest()
        self._draw = _Draw(1, 1, 1, 1, 1)
        self._again: Call | None = None
        self._tries = 0
        self._done: str | None = None

    def next(self) -> Call:
        """Return what to send next, in the session that is this customer's own."""
        if self._again is not None:
            return self._again
        draw = self._draw = _Draw(*(self._rng.random() for _ in range(5)))
        name = self._operation(draw.operation)
        return self._call(name if self._balances else "open", draw)

    def learn(self, op: Op) -> None:
        """Take in what came of the last call."""
        account_id = op.call.aggregate or ""
        is_again, self._again = self._again is not None, None
        if op.outcome is Outcome.INFO and op.key is not None:
            self._tries += 1
            if self._tries < _MOST_TRIES:
                self._again = op.call
                return
            self._balances.pop(account_id, None)
        elif op.outcome is Outcome.OK:
            self._learn_of(account_id, op)
        is_repeated = is_again and self._tries == 0
        self._tries = 0
        if op.key is not None and not is_repeated and op.outcome is not Outcome.INFO:
            self._again = _once_more(op.call, self._draw.more)

    def _learn_of(self, account_id: str, op: Op) -> None:
        """Take in what was answered about an account."""
        self._newest.learn(op)
        if op.key is None or op.key == self._done:
            return
        self._done = op.key
        if op.operation == "open_account":
            self._balances[account_id] = 0
        elif account_id in self._balances:
            self._balances[account_id] += _change(op.call)

    def _call(self, name: str, draw: _Draw) -> Call:
        match name:
            case "open":
                self._opened += 1
                opened = self._account(self.place, self._opened)
                return bank.open_account(owner_id=self._owner_id, account_id=opened)
            case "deposit":
                return self._deposit(draw)
            case "withdraw":
                return self._withdraw(draw)
            case "account":
                return self._read(draw)
            case "statement":
                return bank.statement(self._anyones(draw))
            case "totals":
                return bank.owner_totals(self._owner_id)
            case _:
                raise ValueError(f"A customer knows no operation {name!r}.")

    def _deposit(self, draw: _Draw) -> Call:
        is_peers = draw.peer < _PEERS_ACCOUNT
        account_id = (
            self._anyones(draw) if is_peers else _chosen(list(self._balances), draw.account)
        )
        return bank.deposit(account_id, _amount(_LARGEST_AMOUNT, draw.size))

    def _withdraw(self, draw: _Draw) -> Call:
        funded = [account_id for account_id, balance in self._balances.items() if balance > 0]
        if not funded:
            return self._deposit(draw)
        account_id = _chosen(funded, draw.account)
        if draw.peer < _TOO_MUCH:
            return bank.withdraw(account_id, bank.LARGEST_AMOUNT)
        return bank.withdraw(account_id, _amount(self._balances[account_id], draw.size))

    def _read(self, draw: _Draw) -> Call:
        account_id = self._anyones(draw)
        known = self._newest.of(account_id) if draw.size < _BY_TOKEN else None
        return bank.account(account_id, min_version=known)

    def _anyones(self, draw: _Draw) -> str:
        """An account of its own, or one that a customer before it opened first."""
        own = list(self._balances)
        at = int(draw.account * (len(own) + self.place - 1))
        return own[at] if at < len(own) else self._account(at - len(own) + 1, 1)

    def _account(self, place: int, number: int) -> str:
        return f"{self._run_id}.c{place}.a{number}"


def weighted(mix: Mapping[str, float]) -> Callable[[float], str]:
    """Return what says which operation a chance, from 0 up to 1, means in a mix of weights."""
    names, bounds = list(mix), list(accumulate(mix.values()))
    return lambda chance: names[bisect(bounds, chance * bounds[-1], hi=len(names) - 1)]


def _chosen(names: Sequence[str], chance: float) -> str:
    return names[int(chance * len(names))]


def _amount(largest: int, chance: float) -> int:
    return 1 + int(chance * largest)


def _once_more(call: Call, chance: float) -> Call | None:
    """A command to be sent once more with its key, as it was or for another amount; or none."""
    if chance >= _ONCE_MORE:
        return None
    amount = (call.body or {}).get("amount")
    if chance >= _OTHERWISE or amount is None:
        return call
    return replace(call, body={"amount": amount - 1 or amount + 1})


def _change(call: Call) -> int:
    """What a call does to its account's balance."""
    body: Mapping[str, Any] = call.body or {}
    return int(body.get("amount", 0)) * (-1 if call.operation == "withdraw" else 1)
