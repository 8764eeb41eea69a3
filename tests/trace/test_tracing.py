"""Finding out what an id is, over tables, logs and dead letters that a test wrote."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import pytest

from tests.trace.known import BEGUN_MS, accepted, event, invocation, record
from tidemark.trace.items import Scan
from tidemark.trace.letters import Letter
from tidemark.trace.subject import Kind
from tidemark.trace.timeline import Stage
from tidemark.trace.tracing import Trace, Tracer, Unknown
from tidemark.workloads.bank_items import EventKey, Mark

if TYPE_CHECKING:
    from tidemark.trace.items import Items
    from tidemark.trace.lines import Lines, Said
    from tidemark.workloads.bank_items import Event, Row

NOW_MS = BEGUN_MS + 3_600_000


@dataclass
class Stack:
    """A stack as far as a trace asks it."""

    events: list[Event] = field(default_factory=list)
    commands: dict[str, EventKey] = field(default_factory=dict)
    heads: dict[str, Row] = field(default_factory=dict)
    rows: dict[str, Row] = field(default_factory=dict)
    lines: set[tuple[str, int]] = field(default_factory=set)
    said: list[Said] = field(default_factory=list)
    letters: list[Letter] = field(default_factory=list)
    has_all_letters: bool = True
    scans: int = 0
    scan_is_complete: bool = True
    asked_since_ms: list[int] = field(default_factory=list)

    def command(self, command_id: str) -> EventKey | None:
        return self.commands.get(command_id)

    def head(self, account_id: str) -> Row | None:
        return self.heads.get(account_id)

    def account(self, account_id: str) -> Row | None:
        return self.rows.get(account_id)

    def line(self, account_id: str, version: int) -> Row | None:
        return {} if (account_id, version) in self.lines else None

    def event(self, account_id: str, version: int) -> Event | None:
        found = (one for one in self.events if one.key.account_id == account_id)
        return next((one for one in found if one.key.version == version), None)

    def newest_events(self, account_id: str, most: int) -> list[Event]:
        found = [one for one in self.events if one.key.account_id == account_id]
        return sorted(found, key=lambda one: one.key)[-most:]

    def scan(self, wanted_id: str) -> Scan:
        self.scans += 1
        found = [
            one
            for one in self.events
            if one.key.event_id == wanted_id or wanted_id in one.command_id
        ]
        return Scan(found, is_complete=self.scan_is_complete)

    def about(self, wanted_id: str, *, since_ms: int) -> list[Said]:
        self.asked_since_ms.append(since_ms)
        return [one for one in self.said if one.names(wanted_id) and one.at_ms >= since_ms]

    def trace(self, wanted_id: str, kind: Kind | None = None) -> Trace:
        found = self.ask(wanted_id, kind)
        assert isinstance(found, Trace), found
        return found

    def ask(self, wanted_id: str, kind: Kind | None = None) -> Trace | Unknown:
        tracer = Tracer(
            cast("Items", self),
            cast("Lines", self),
            lambda: (self.letters, self.has_all_letters),
            lookback_min=60,
            principal="AROA",
            clock=lambda: NOW_MS,
        )
        return tracer.trace(wanted_id, kind)


def letter(message_id: str = "message-9", **said: Any) -> Letter:
    return Letter(message_id=message_id, receive_count=1, sent_at_ms=BEGUN_MS, event=said)


@pytest.fixture
def stack() -> Stack:
    """Two events of alice, both projected, recorded with their commands and lines."""
    events = [event(1), event(2)]
    return Stack(
        events=events,
        commands={one.command_id: one.key for one in events},
        heads={"alice": {"version": 2}},
        rows={"alice": {"version": 2}},
        lines={("alice", 1), ("alice", 2)},
        said=[line for one in events for line in (accepted(one), record(one))],
    )


def test_a_command_is_found_by_its_key_and_shows_its_own_event_alone(stack: Stack) -> None:
    found = stack.trace("key-2")

    assert (found.kind, found.account_id) == (Kind.COMMAND, "alice")
    assert [one.key.version for one in found.events] == [2]
    assert {moment.said.get("version") for moment in found.moments} <= {2, None}
    assert found.lines == {2}
    assert (found.head, found.account) == ({"version": 2}, {"version": 2})
    assert stack.scans == 0


def of_a_stranger() -> Event:
    return event(3, command_id="AIDA#key-2", account_id="bob")


def test_a_key_of_ours_shows_nothing_of_the_stranger_who_has_the_same(stack: Stack) -> None:
    theirs = of_a_stranger()
    stack.events.append(theirs)
    stack.commands[theirs.command_id] = theirs.key
    stack.said += [accepted(theirs), record(theirs)]
    stack.letters = [letter(command_id=theirs.command_id), letter(command_id="AROA#key-2")]

    found = stack.trace("key-2")

    assert [one.command_id for one in found.events] == ["AROA#key-2"]
    assert "bob" not in str(found.moments)
    assert [one.letter.event["command_id"] for one in found.dead_letters] == ["AROA#key-2"]


def test_a_command_is_found_by_principal_and_key(stack: Stack) -> None:
    theirs = of_a_stranger()
    stack.events.append(theirs)
    stack.commands[theirs.command_id] = theirs.key

    found = stack.trace("AIDA#key-2")

    assert (found.kind, found.account_id) == (Kind.COMMAND, "bob")
    assert [one.command_id for one in found.events] == ["AIDA#key-2"]


@pytest.mark.parametrize("is_logged", [True, False])
def test_a_strangers_command_is_found_by_its_key_alone(stack: Stack, is_logged: bool) -> None:  # noqa: FBT001 -- a parameter of the test
    theirs = event(3, command_id="AIDA#key-3", account_id="bob")
    lookalike = event(4, command_id="AIDA#key-3#4", account_id="bob")
    stack.events += [theirs, lookalike]
    stack.said += [accepted(theirs)] if is_logged else []

    found = stack.trace("key-3")

    assert [one.command_id for one in found.events] == ["AIDA#key-3"]
    assert stack.scans == (not is_logged)


def test_an_event_is_found_by_the_line_that_names_it(stack: Stack) -> None:
    found = stack.trace("event-1")

    assert (found.kind, [one.key.event_id for one in found.events]) == (Kind.EVENT, ["event-1"])
    assert Stage.ANSWER in {moment.stage for moment in found.moments}
    assert stack.scans == 0


def test_an_event_without_a_line_is_found_by_a_search_of_the_log(stack: Stack) -> None:
    stack.said = []

    found = stack.trace("event-1")

    assert (found.kind, [one.key.event_id for one in found.events]) == (Kind.EVENT, ["event-1"])
    assert stack.scans == 1


def test_a_command_whose_record_expired_is_found_by_a_search_of_the_log(stack: Stack) -> None:
    stack.said, stack.commands = [], {}

    assert stack.trace("key-1").kind is Kind.COMMAND


def test_an_account_shows_all_its_events_and_what_was_refused(stack: Stack) -> None:
    stack.said.append(
        invocation("insufficient-funds", 9_000, status=422, account_id="alice", command_id="no")
    )

    found = stack.trace("alice")

    assert found.kind is Kind.ACCOUNT
    assert [one.key.version for one in found.events] == [1, 2]
    assert found.moments[-1].text == "422 insufficient-funds"


def test_an_account_that_only_the_query_side_has_is_an_account() -> None:
    found = Stack(rows={"ghost": {"version": 3}}).trace("ghost")

    assert (found.kind, found.head, found.account) == (Kind.ACCOUNT, None, {"version": 3})


def test_of_a_long_account_the_newest_events_are_shown_and_it_says_so() -> None:
    events = [event(version) for version in range(1, 61)]
    found = Stack(events=events, heads={"alice": {"version": 60}}).trace("alice")

    assert [one.key.version for one in found.events] == list(range(11, 61))
    assert found.notes == ["Only the newest 50 events are shown."]


def test_an_id_of_a_command_and_an_account_is_the_command_unless_the_caller_says(
    stack: Stack,
) -> None:
    stack.commands["alice"] = event(1).key

    both = stack.trace("alice")

    assert both.kind is Kind.COMMAND
    assert both.notes == ["An account has this id too: trace it with --as account."]
    assert stack.trace("alice", Kind.ACCOUNT).kind is Kind.ACCOUNT


def test_a_refused_command_is_known_by_its_line_alone(stack: Stack) -> None:
    stack.said.append(
        invocation("already-exists", 9_000, status=409, account_id="alice", command_id="again")
    )

    found = stack.trace("again")

    assert (found.kind, found.account_id, found.events) == (Kind.COMMAND, "alice", [])
    assert [moment.text for moment in found.moments] == ["409 already-exists"]


def test_an_event_that_the_log_has_under_another_id_is_not_taken_for_it(stack: Stack) -> None:
    forged = event(2, event_id="forged")
    stack.said.append(record(forged, "failed", reason="not in the log", left_to="queue"))
    stack.letters = [letter("message-2", event_id="forged", account_id="alice", version=2)]

    found = stack.trace("forged")

    assert (found.kind, found.events) == (Kind.EVENT, [])
    [dead] = found.dead_letters
    assert (dead.is_stale, dead.reason) == (False, "not in the log")


def test_a_dead_letter_whose_event_is_projected_is_stale(stack: Stack) -> None:
    stack.letters = [letter(event_id="event-1", account_id="alice", version=1)]

    [dead] = stack.trace("key-1").dead_letters

    assert dead.is_stale


@pytest.mark.parametrize(
    "said",
    [
        {"event_id": "event-9", "account_id": "alice", "version": 1},
        {"event_id": "event-1", "account_id": "alice", "version": True},
        {"event_id": "event-1", "version": 1},
    ],
)
def test_a_dead_letter_that_is_not_the_projected_event_is_not_stale(
    stack: Stack, said: dict[str, Any]
) -> None:
    stack.letters = [letter("the-message", **said)]

    [dead] = stack.trace("the-message").dead_letters

    assert not dead.is_stale


def test_a_dead_letter_that_waits_for_its_projection_is_not_stale(stack: Stack) -> None:
    stack.events[1] = event(2, projected_after_ms=None, mark=Mark(NOW_MS, 1))
    stack.letters = [letter(event_id="event-2", account_id="alice", version=2)]

    [dead] = stack.trace("key-2").dead_letters

    assert not dead.is_stale


def test_a_message_that_nobody_can_read_is_found_by_its_id(stack: Stack) -> None:
    stack.letters = [letter("unreadable")]

    found = stack.trace("unreadable")

    assert (found.kind, found.account_id) == (Kind.MESSAGE, None)
    assert [dead.letter.message_id for dead in found.dead_letters] == ["unreadable"]


def test_the_delivery_that_healed_an_event_belongs_to_its_way(stack: Stack) -> None:
    healer = record(event(2), after_ms=50, healed=[1])
    stack.said = [accepted(event(1)), healer]

    found = stack.trace("key-1")

    assert any("after healing version 1" in moment.text for moment in found.moments)


def test_a_delivery_of_another_event_does_not_belong_to_it(stack: Stack) -> None:
    stack.said = [accepted(event(1)), record(event(2), after_ms=50)]

    assert Stage.DELIVERY not in {moment.stage for moment in stack.trace("key-1").moments}


def test_the_logs_are_read_from_before_the_event_however_old_it_is(stack: Stack) -> None:
    stack.trace("key-1")

    assert max(stack.asked_since_ms) < event(1).recorded_at_ms


def test_of_an_unknown_id_it_is_said_where_it_was_looked_for(stack: Stack) -> None:
    found = stack.ask("nobody")

    assert isinstance(found, Unknown)
    assert found.searched == [
        "the command records and accounts, by key",
        "the function logs of the last 60 min",
        "the whole command table, item by item",
        "the dead letters",
    ]
    assert stack.asked_since_ms == [BEGUN_MS]


def test_a_search_that_stopped_at_its_bound_says_so(stack: Stack) -> None:
    stack.scan_is_complete = False
    stack.has_all_letters = False

    found = stack.ask("nobody")

    assert isinstance(found, Unknown)
    assert "25 MB of the command table, item by item" in found.searched
    assert "0 of the dead letters" in found.searched


@pytest.mark.parametrize(
    ("wanted_id", "kind"),
    [("alice", Kind.COMMAND), ("key-1", Kind.EVENT), ("event-1", Kind.ACCOUNT)],
)
def test_an_id_is_nothing_that_the_caller_says_it_is_and_it_is_not(
    stack: Stack, wanted_id: str, kind: Kind
) -> None:
    assert isinstance(stack.ask(wanted_id, kind), Unknown)
