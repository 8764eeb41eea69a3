"""Tracing an id: find out what it is, and gather what the stack has and says about it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from tidemark.trace import letters
from tidemark.trace.items import MOST_SCANNED_PAGES, Items
from tidemark.trace.journal import Journal, event_key
from tidemark.trace.timeline import timeline

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from tidemark.aws.clients import AwsClients
    from tidemark.host.deployment import Deployment
    from tidemark.trace.items import Event, EventKey, Row
    from tidemark.trace.journal import Said
    from tidemark.trace.letters import Letter
    from tidemark.trace.timeline import Moment

MOST_EVENTS = 50
"""How many events of an account are shown, the newest."""

# Clocks differ, and the line of a call may be stamped with its beginning.
_MARGIN_MS = 10_000


class Kind(StrEnum):
    """What an id can be."""

    COMMAND = "command"
    EVENT = "event"
    ACCOUNT = "account"
    MESSAGE = "message"


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A dead letter, and what it means.

    Attributes:
        letter: The letter.
        is_stale: Its event is projected by now: neither poison nor loss.
        reason: Why it is dead, as far as a line or Lambda says so.
    """

    letter: Letter
    is_stale: bool
    reason: str | None


@dataclass(frozen=True, slots=True)
class Trace:
    """What is known of an id.

    Attributes:
        wanted_id: The id.
        kind: What it is.
        account_id: The account it belongs to, if any.
        events: The events of the log, in order.
        lines: The versions among them that have a statement line on the query side.
        head: The account as the write side has it.
        account: The account as the query side has it.
        moments: The timeline.
        dead_letters: What lies in the dead-letter queue.
        notes: What a reader must know to read it right.
    """

    wanted_id: str
    kind: Kind
    account_id: str | None
    events: Sequence[Event]
    lines: frozenset[int]
    head: Row | None
    account: Row | None
    moments: Sequence[Moment]
    dead_letters: Sequence[DeadLetter]
    notes: Sequence[str]


@dataclass(slots=True)
class Unknown:
    """Nothing is known of an id.

    Attributes:
        searched: Where it was looked for, each place in words.
    """

    searched: list[str]


@dataclass(slots=True)
class _Subject:
    """What an id is, and the events it stands for."""

    kind: Kind
    keys: set[EventKey] = field(default_factory=set)
    account_id: str | None = None


class Tracer:
    """Traces ids through one deployment.

    Args:
        items: Its tables.
        journal: Its functions' logs.
        peek: Looks at its dead letters.
        lookback_min: How far back the logs are searched for an id that no key leads to, minutes.
        clock: UTC in milliseconds.
    """

    def __init__(
        self,
        items: Items,
        journal: Journal,
        peek: Callable[[], list[Letter]],
        *,
        lookback_min: float,
        clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._items = items
        self._journal = journal
        self._peek = peek
        self._lookback_min = lookback_min
        self._since_ms = clock() - round(lookback_min * 60_000)
        self._notes: list[str] = []

    @classmethod
    def of(
        cls, deployment: Deployment, clients: AwsClients, *, lookback_min: float = 60.0
    ) -> Tracer:
        """A tracer through a deployment."""
        dead_letter_queue = deployment.outputs["DeadLetterQueueName"]
        return cls(
            Items.of(deployment, clients),
            Journal(clients, deployment),
            lambda: letters.peek(clients.sqs, dead_letter_queue),
            lookback_min=lookback_min,
        )

    def trace(self, wanted_id: str, kind: Kind | None = None) -> Trace | Unknown:
        """Find out what an id is, cheapest look first, and trace it.

        Args:
            wanted_id: An idempotency key, an event id, an account id or a message id.
            kind: What it is, for an id that is several things at once.
        """
        self._notes = []
        dead = self._peek()
        searched: list[str] = []
        subject = self._by_key(wanted_id, kind, searched)
        found: list[Said] = []
        if subject is None:
            found = self._journal.about(wanted_id, since_ms=self._since_ms)
            subject = self._by_lines(wanted_id, kind, found, searched)
        events = self._events(subject)
        if not events and (subject is None or subject.kind in (Kind.EVENT, Kind.COMMAND)):
            subject, events = self._by_scan(wanted_id, kind, subject, searched)
        if subject is None:
            subject = _by_letters(wanted_id, kind, dead, searched)
        if subject is None:
            return Unknown(searched)
        return self._gathered(wanted_id, subject, events, found, dead)

    def _by_key(self, wanted_id: str, kind: Kind | None, searched: list[str]) -> _Subject | None:
        command = self._items.command(wanted_id) if kind in (None, Kind.COMMAND) else None
        is_account = kind in (None, Kind.ACCOUNT) and (
            self._items.head(wanted_id) is not None or self._items.account(wanted_id) is not None
        )
        searched.append("the command records and accounts, by key")
        if command is not None:
            if is_account:
                self._notes.append("An account has this id too: trace it with --as account.")
            return _Subject(Kind.COMMAND, {command}, command.account_id)
        return _Subject(Kind.ACCOUNT, account_id=wanted_id) if is_account else None

    def _by_lines(
        self, wanted_id: str, kind: Kind | None, found: list[Said], searched: list[str]
    ) -> _Subject | None:
        searched.append(f"the function logs of the last {self._lookback_min:g} min")
        return _named(wanted_id, kind, [said.members for said in found])

    def _events(self, subject: _Subject | None) -> list[Event]:
        if subject is None:
            return []
        if subject.kind is Kind.ACCOUNT:
            events = self._items.newest_events(subject.account_id or "", MOST_EVENTS)
            if events and events[0].key.version > 1:
                self._notes.append(f"Only the newest {len(events)} events are shown.")
            return events
        found = (self._items.event(key.account_id, key.version) for key in sorted(subject.keys))
        return [event for event in found if event is not None and event.key in subject.keys]

    def _by_scan(
        self,
        wanted_id: str,
        kind: Kind | None,
        subject: _Subject | None,
        searched: list[str],
    ) -> tuple[_Subject | None, list[Event]]:
        scan = self._items.scan(wanted_id)
        extent = "the whole" if scan.is_complete else f"{MOST_SCANNED_PAGES} MB of the"
        searched.append(f"{extent} command table, item by item")
        events = [
            event
            for event in scan.found
            if (event.key.event_id == wanted_id and kind in (None, Kind.EVENT))
            or (event.command_id == wanted_id and kind in (None, Kind.COMMAND))
        ]
        if not events:
            return subject, []
        first = events[0]
        found_kind = Kind.EVENT if first.key.event_id == wanted_id else Kind.COMMAND
        keys = {event.key for event in events}
        return _Subject(found_kind, keys, first.key.account_id), sorted(
            events, key=lambda event: event.key
        )

    def _gathered(
        self,
        wanted_id: str,
        subject: _Subject,
        events: list[Event],
        found: list[Said],
        dead: list[Letter],
    ) -> Trace:
        account_id = events[0].key.account_id if events else subject.account_id
        lines = self._lines(wanted_id, subject, events, found)
        ids = {wanted_id} | ({event.key.event_id for event in events} if events else set())
        if subject.kind is not Kind.ACCOUNT:
            ids |= {event.command_id for event in events}
        dead = [letter for letter in dead if any(letter.names(one) for one in ids)]
        return Trace(
            wanted_id=wanted_id,
            kind=subject.kind,
            account_id=account_id,
            events=events,
            lines=frozenset(
                event.key.version
                for event in events
                if self._items.line(event.key.account_id, event.key.version) is not None
            ),
            head=self._items.head(account_id) if account_id else None,
            account=self._items.account(account_id) if account_id else None,
            moments=timeline(events, lines),
            dead_letters=[self._meant(letter, lines) for letter in dead],
            notes=self._notes,
        )

    def _lines(
        self, wanted_id: str, subject: _Subject, events: list[Event], found: list[Said]
    ) -> list[Said]:
        if not events:
            return found or self._journal.about(wanted_id, since_ms=self._since_ms)
        since_ms = min(event.recorded_at_ms for event in events) - _MARGIN_MS
        if subject.kind is Kind.ACCOUNT:
            return self._journal.about(wanted_id, since_ms=since_ms)
        ids = {wanted_id}.union(*({event.command_id, event.key.event_id} for event in events))
        lines = _merged(self._journal.about(one, since_ms=since_ms) for one in sorted(ids))
        for event in events:
            if event.projected_at_ms is not None and not _is_applied_in(lines, event):
                about = self._journal.about(event.key.account_id, since_ms=since_ms)
                lines = _merged([lines, [said for said in about if _healed(said, event)]])
        return lines

    def _meant(self, letter: Letter, lines: list[Said]) -> DeadLetter:
        reasons = [
            str(said.members["reason"])
            for said in lines
            if said.names(letter.message_id) and "reason" in said.members
        ]
        return DeadLetter(
            letter,
            is_stale=self._is_projected(letter),
            reason=reasons[-1] if reasons else letter.reason,
        )

    def _is_projected(self, letter: Letter) -> bool:
        account_id, version = letter.event.get("account_id"), letter.event.get("version")
        if not isinstance(account_id, str) or type(version) is not int:
            return False
        event = self._items.event(account_id, version)
        return (
            event is not None
            and event.key.event_id == letter.event.get("event_id")
            and event.projected_at_ms is not None
        )


def _by_letters(
    wanted_id: str, kind: Kind | None, dead: list[Letter], searched: list[str]
) -> _Subject | None:
    searched.append("the dead letters")
    carried = [{**letter.event, "message_id": letter.message_id} for letter in dead]
    return _named(wanted_id, kind, carried)


def _named(
    wanted_id: str, kind: Kind | None, members: Sequence[Mapping[str, Any]]
) -> _Subject | None:
    """What an id is by the name it has in lines or letters, and the events it goes with."""
    for candidate, name in _NAMES.items():
        named = [one for one in members if one.get(name) == wanted_id]
        if not named or kind not in (None, candidate):
            continue
        keys = {key for one in named if (key := event_key(one)) is not None}
        accounts = [one["account_id"] for one in named if isinstance(one.get("account_id"), str)]
        return _Subject(candidate, keys, accounts[0] if accounts else None)
    return None


_NAMES = {
    Kind.EVENT: "event_id",
    Kind.COMMAND: "command_id",
    Kind.ACCOUNT: "account_id",
    Kind.MESSAGE: "message_id",
}


def _merged(parts: Iterable[Iterable[Said]]) -> list[Said]:
    found: list[Said] = []
    for part in parts:
        found += [said for said in part if said not in found]
    return sorted(found, key=lambda said: said.at_ms)


def _is_applied_in(lines: Iterable[Said], event: Event) -> bool:
    return any(
        said.outcome == "applied" and said.members.get("event_id") == event.key.event_id
        for said in lines
    )


def _healed(said: Said, event: Event) -> bool:
    return event.key.version in said.members.get("healed", ())
