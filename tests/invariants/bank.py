"""The write side of a small bank: it decides a command on the head, and appends in one write."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from tidemark.workloads.canonical import canonical, digest_at, digest_of

Row = dict[str, Any]
_TYPES = {
    "open": "AccountOpened",
    "deposit": "FundsDeposited",
    "withdraw": "FundsWithdrawn",
    "close": "AccountClosed",
}


class CrashError(Exception):
    """The process of a handler ended in the middle of its work."""


@dataclass(frozen=True)
class Account:
    """An account, as a fold of its events."""

    id: str
    owner: str
    balance: int = 0
    status: str = "open"
    version: int = 0

    def state(self) -> str:
        return canonical(
            {
                "account_id": self.id,
                "owner_id": self.owner,
                "balance": self.balance,
                "status": self.status,
                "version": self.version,
            }
        )


@dataclass(frozen=True)
class Command:
    """What a client asks for."""

    operation: str
    account: str
    key: str
    principal: str = "-"
    amount: int = 0
    owner: str = ""
    pinned: int | None = None

    @property
    def payload_hash(self) -> str:
        return f"{self.operation}/{self.account}/{self.amount}/{self.owner}"


@dataclass
class Event:
    """A fact, and what the write side keeps beside it until it is projected."""

    account: str
    version: int
    event_id: str
    principal: str
    key: str
    type: str
    amount: int
    owner: str
    after: Account
    recorded_at_ms: int
    projected_at_ms: int | None = None
    in_outbox: bool = True

    @property
    def signed(self) -> int:
        return -self.amount if self.type == _TYPES["withdraw"] else self.amount

    @property
    def effect(self) -> str:
        return effect_of(self.type, self.account, self.amount, self.owner)

    def line(self) -> str:
        return canonical(
            {
                "version": self.version,
                "type": self.type,
                "amount": self.amount,
                "balance": self.after.balance,
                "recorded_at": self.recorded_at_ms,
            }
        )

    def row(self) -> Row:
        return {
            "aggregate": self.account,
            "version": self.version,
            "event_id": self.event_id,
            "principal": self.principal,
            "key": self.key,
            "effect": self.effect,
            "effect_digest": digest_of(self.effect),
            "state_digest": digest_of(self.after.state()),
            "line_digest": digest_at(self.version, self.line()),
            "owner": self.owner,
            "amount": self.signed,
            "status": self.after.status,
            "recorded_at_ms": self.recorded_at_ms,
            "projected_at_ms": self.projected_at_ms,
            "in_outbox": self.in_outbox,
        }


@dataclass(frozen=True)
class Answer:
    """What the API says to a command."""

    status: int
    problem: str | None = None
    version: int | None = None
    event_id: str | None = None
    replayed: bool = False
    event: Event | None = None


def _accepted(event: Event) -> Answer:
    return Answer(202, version=event.version, event_id=event.event_id, event=event)


def effect_of(event_type: str, account: str, amount: int, owner: str) -> str:
    return canonical({"type": event_type, "aggregate": account, "amount": amount, "owner": owner})


class WriteSide:
    """The log, the heads and the kept answers; an ablation overrides one of its steps."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.heads: dict[str, Account] = {}
        self.kept: dict[tuple[str, str], tuple[str, Answer]] = {}
        self.crashes_at_next_write = False
        self._serial = 0

    def owner_of(self, account: str) -> str:
        head = self.heads.get(account)
        return head.owner if head else ""

    def effect_digest(self, command: Command) -> int:
        """What the client says that the event of its command must do."""
        owner = command.owner or self.owner_of(command.account)
        return digest_of(
            effect_of(_TYPES[command.operation], command.account, command.amount, owner)
        )

    def event(self, account: str, version: int) -> Event | None:
        found = (one for one in self.events if (one.account, one.version) == (account, version))
        return next(found, None)

    def handle(self, command: Command, now_ms: int, head: Account | None = None) -> Answer:
        """Answer a command, decided on a head that was read before, or on the one of now."""
        head = head or self.head(command.account)
        if (kept := self.answer_kept(command)) is not None:
            return kept
        if (refusal := self.refusal(command, head)) is not None:
            return refusal
        decided = self.decide(command, head, now_ms)
        if not self.append(command, decided, head):
            return self.handle(command, now_ms)
        return _accepted(decided)

    def head(self, account: str) -> Account:
        return self.heads.get(account, Account(account, ""))

    def answer_kept(self, command: Command) -> Answer | None:
        kept = self.kept.get((command.principal, command.key))
        if kept is None:
            return None
        payload_hash, answer = kept
        if payload_hash != self.payload_hash(command):
            return Answer(422, "key-reused")
        return replace(answer, replayed=True)

    def payload_hash(self, command: Command) -> str:
        return command.payload_hash

    def refusal(  # noqa: PLR0911 -- one for each rule
        self, command: Command, head: Account
    ) -> Answer | None:
        if command.pinned is not None and command.pinned != head.version:
            return Answer(412, "precondition-failed")
        if command.operation == "open":
            return Answer(409, "already-exists") if head.version else None
        if not head.version:
            return Answer(404, "no-such-account")
        if head.status == "closed":
            return Answer(422, "account-closed")
        if command.operation == "withdraw" and command.amount > head.balance:
            return Answer(422, "insufficient-funds")
        if command.operation == "close" and head.balance:
            return Answer(422, "balance-not-zero")
        return None

    def decide(self, command: Command, head: Account, now_ms: int) -> Event:
        self._serial += 1
        owner = head.owner or command.owner
        sign = {"deposit": 1, "withdraw": -1}.get(command.operation, 0)
        after = Account(
            command.account,
            owner,
            head.balance + sign * command.amount,
            "closed" if command.operation == "close" else "open",
            head.version + 1,
        )
        return Event(
            command.account, after.version, f"e{self._serial}", command.principal, command.key,
            _TYPES[command.operation], command.amount, owner, after, now_ms,
        )  # fmt: skip

    def append(self, command: Command, decided: Event, head: Account) -> bool:
        """Event, head and answer in one write, if the head is as it was read."""
        if self.head(command.account).version != head.version:
            return False
        self.put_event(decided)
        self.keep_answer(command, decided)
        self.crash_if_armed()
        return True

    def put_event(self, event: Event) -> None:
        self.events.append(event)
        self.heads[event.account] = event.after

    def keep_answer(self, command: Command, event: Event) -> None:
        kept = (self.payload_hash(command), _accepted(event))
        self.kept[command.principal, command.key] = kept

    def crash_if_armed(self) -> None:
        armed, self.crashes_at_next_write = self.crashes_at_next_write, False
        if armed:
            raise CrashError
