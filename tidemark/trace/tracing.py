"""Tracing an id: find out what it is, and gather what the stack has and says about it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tidemark import targets
from tidemark.trace import letters
from tidemark.trace.items import MOST_SCANNED_PAGES, Items
from tidemark.trace.lines import Lines, Said, event_key
from tidemark.trace.subject import Kind, Subject, find_in, name_in
from tidemark.trace.timeline import timeline
from tidemark.workloads.bank_items import command_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tidemark.aws.clients import AwsClients
    from tidemark.host.deployment import Deployment
    from tidemark.trace.letters import Letter
    from tidemark.trace.timeline import Moment
    from tidemark.workloads.bank_items import Event, EventKey, Row

MOST_EVENTS = 50
"""How many events of an account are shown, the newest."""

# Clocks differ, and the line of a call may be stamped with its beginning.
_MARGIN_MS = 10_000


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


class Tracer:
    """Traces ids through one deployment.

    Args:
        items: Its tables.
        logs: Its functions' logs.
        peek: Looks at its dead letters, and says whether these are all.
        principal: Whose an idempotency key is, for a look by key.
        lookback_min: How far back the logs are searched for an id that no key leads to, minutes.
        clock: UTC in milliseconds.
    """

    def __init__(
        self,
        items: Items,
        logs: Lines,
        peek: Callable[[], tuple[list[Letter], bool]],
        *,
        principal: str,
        lookback_min: float,
        clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._items = items
        self._logs = logs
        self._peek = peek
        self._principal = principal
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
            Lines(clients, deployment),
            lambda: letters.peek(clients.sqs, dead_letter_queue),
            principal=targets.of_deployment(deployment).principal(clients),
            lookback_min=lookback_min,
        )

    def trace(self, wanted_id: str, kind: Kind | None = None) -> Trace | Unknown:
        """Find out what an id is, cheapest look first, and trace it.

        Args:
            wanted_id: An idempotency key or the whole id of a command, an event id, an account
                id or a message id.
            kind: What it is, for an id that is several things at once.
        """
        self._notes = []
        dead, are_all = self._peek()
        looked_at = "the dead letters" if are_all else f"{len(dead)} of the dead letters"
        if not are_all:
            self._notes.append(f"Only {looked_at} were looked at.")
        searched = ["the command records and accounts, by key"]
        subject, found = self._by_key(wanted_id, kind), list[Said]()
        if subject is None:
            searched.append(f"the function logs of the last {self._lookback_min:g} min")
            found = self._logs.about(wanted_id, since_ms=self._since_ms)
            subject = name_in(wanted_id, kind, (said.members for said in found))
        events = self._events(subject)
        if not events and (subject is None or subject.kind in (Kind.EVENT, Kind.COMMAND)):
            scan = self._items.scan(wanted_id)
            extent = "the whole" if scan.is_complete else f"{MOST_SCANNED_PAGES} MB of the"
            searched.append(f"{extent} command table, item by item")
            if by_scan := find_in(wanted_id, kind, scan.found):
                subject = by_scan
                events = sorted(
                    (one for one in scan.found if one.key in subject.keys), key=lambda one: one.key
                )
        if subject is None:
            searched.append(looked_at)
            subject = name_in(wanted_id, kind, (_carried_by(letter) for letter in dead))
        if subject is None:
            return Unknown(searched)
        return self._gather(wanted_id, subject, events, found, dead)

    def _by_key(self, wanted_id: str, kind: Kind | None) -> Subject | None:
        command = self._command(wanted_id) if kind in (None, Kind.COMMAND) else None
        is_account = kind in (None, Kind.ACCOUNT) and (
            self._items.head(wanted_id) is not None or self._items.account(wanted_id) is not None
        )
        if command is not None:
            if is_account:
                self._notes.append("An account has this id too: trace it with --as account.")
            return Subject(Kind.COMMAND, {command}, command.account_id)
        return Subject(Kind.ACCOUNT, account_id=wanted_id) if is_account else None

    def _command(self, wanted_id: str) -> EventKey | None:
        """The event of a command that is named in full, or by a key that is ours."""
        ours = command_id(self._principal, wanted_id)
        return self._items.command(wanted_id) or self._items.command(ours)

    def _events(self, subject: Subject | None) -> list[Event]:
        if subject is None:
            return []
        if subject.kind is Kind.ACCOUNT:
            events = self._items.newest_events(subject.account_id or "", MOST_EVENTS)
            if events and events[0].key.version > 1:
                self._notes.append(f"Only the newest {len(events)} events are shown.")
            return events
        found = (self._items.event(key.account_id, key.version) for key in sorted(subject.keys))
        return [event for event in found if event is not None and event.key in subject.keys]

    def _gather(
        self,
        wanted_id: str,
        subject: Subject,
        events: list[Event],
        found: list[Said],
        dead: list[Letter],
    ) -> Trace:
        account_id = events[0].key.account_id if events else subject.account_id
        lines = self._lines(wanted_id, subject, events, found)
        ids = _ids_of(wanted_id, subject, events)
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
            dead_letters=[
                self._explain(letter, lines)
                for letter in dead
                if any(letter.names(one) for one in ids)
            ],
            notes=self._notes,
        )

    def _lines(
        self, wanted_id: str, subject: Subject, events: list[Event], found: list[Said]
    ) -> list[Said]:
        """The lines about an id and its events, healing deliveries of others included."""
        if not events:
            return found or self._logs.about(wanted_id, since_ms=self._since_ms)
        since_ms = min(event.recorded_at_ms for event in events) - _MARGIN_MS
        if subject.kind is Kind.ACCOUNT:
            return self._logs.about(wanted_id, since_ms=since_ms)
        ids = _ids_of(wanted_id, subject, events)
        lines = _merge(self._logs.about(one, since_ms=since_ms) for one in sorted(ids))
        for event in events:
            if event.projected_at_ms is not None and not _is_applied_in(lines, event):
                about = self._logs.about(event.key.account_id, since_ms=since_ms)
                healing = [
                    said for said in about if event.key.version in said.members.get("healed", ())
                ]
                lines = _merge([lines, healing])
        return lines

    def _explain(self, letter: Letter, lines: list[Said]) -> DeadLetter:
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
        key = event_key(letter.event)
        event = None if key is None else self._items.event(key.account_id, key.version)
        return event is not None and event.key == key and event.projected_at_ms is not None


def _ids_of(wanted_id: str, subject: Subject, events: Iterable[Event]) -> set[str]:
    """What lines and letters about it name; a key alone would name a stranger's command, too."""
    ids = {event.key.event_id for event in events}
    if subject.kind is Kind.ACCOUNT:
        return ids | {wanted_id}
    commands = {event.command_id for event in events}
    is_known_by_them = subject.kind is Kind.COMMAND and commands
    return ids | commands | (set() if is_known_by_them else {wanted_id})


def _carried_by(letter: Letter) -> dict[str, Any]:
    return {**letter.event, "message_id": letter.message_id}


def _merge(parts: Iterable[Iterable[Said]]) -> list[Said]:
    found: list[Said] = []
    for part in parts:
        found += [said for said in part if said not in found]
    return sorted(found, key=lambda said: said.at_ms)


def _is_applied_in(lines: Iterable[Said], event: Event) -> bool:
    return any(
        said.outcome == "applied" and said.members.get("event_id") == event.key.event_id
        for said in lines
    )
