"""The verb: a calm table away from a terminal, and one JSON object."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.trace.known import BEGUN_MS, accepted, event, record
from tidemark.cli import known
from tidemark.cli import trace as verb
from tidemark.errors import EndedError, ExitCode
from tidemark.trace.letters import Letter
from tidemark.trace.subject import Kind
from tidemark.trace.timeline import timeline
from tidemark.trace.tracing import DeadLetter, Trace, Tracer, Unknown
from tidemark.workloads.bank_items import Mark

if TYPE_CHECKING:
    from collections.abc import Callable

ROW = {"version": 1, "balance": 5, "status": "open", "owner_id": "ada"}


class Deployment:
    target = "embedded"
    stack_name = "Tidemark"


@pytest.fixture
def shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., str]:
    """Returns what the verb prints of something traced."""

    class Fake:
        def __init__(self, found: Trace | Unknown) -> None:
            self.found = found

        def trace(self, *_: Any) -> Trace | Unknown:
            return self.found

    def show(found: Trace | Unknown, *, as_json: bool = False) -> str:
        monkeypatch.setattr(known, "reach", lambda *_: (Deployment, None))
        monkeypatch.setattr(Tracer, "of", lambda *_, **__: Fake(found))
        try:
            verb.trace("key[red]-1", as_json=as_json)
        finally:
            printed = capsys.readouterr()
        assert printed.err == ""
        return printed.out

    return show


def traced(*, is_projected: bool = True, dead: tuple[DeadLetter, ...] = ()) -> Trace:
    one = event(
        projected_after_ms=30 if is_projected else None,
        mark=None if is_projected else Mark(BEGUN_MS, 10),
    )
    return Trace(
        wanted_id="key[red]-1",
        kind=Kind.COMMAND,
        account_id="alice",
        events=[one],
        lines=frozenset({1}) if is_projected else frozenset(),
        head=ROW,
        account=ROW if is_projected else None,
        moments=timeline([one], [accepted(one), record(one)]),
        dead_letters=dead,
        notes=["Read this."],
    )


def test_the_table_has_offsets_in_ms_and_ends_with_how_things_stand(
    shown: Callable[..., str],
) -> None:
    lines = shown(traced()).splitlines()

    assert lines[0] == "command key[red]-1, account alice"
    assert lines[1].split()[:4] == ["+0", "ms", "API", "call"]
    assert [line.split()[0] for line in lines[1:7]] == ["+0", "+2", "+22", "+22", "+32", "+42"]
    assert [line.split()[:3] for line in lines[7:9]] == [
        ["now", "write", "side"],
        ["now", "query", "side"],
    ]
    assert lines[-1].split(maxsplit=1) == ["note", "Read this."]


def test_nothing_is_folded_coloured_or_padded_away_from_a_terminal(
    shown: Callable[..., str],
) -> None:
    printed = shown(traced())

    assert "\x1b" not in printed
    assert all(line == line.rstrip() for line in printed.splitlines())
    assert "version 1 is on the query side, 30 ms after it was recorded  [both tables]" in printed


def test_what_waits_and_what_is_dead_is_told(shown: Callable[..., str]) -> None:
    poison = DeadLetter(Letter("m-1", 6, None), is_stale=False, reason="no such event")
    stale = DeadLetter(Letter("m-2", 6, None), is_stale=True, reason=None)

    printed = shown(traced(is_projected=False, dead=(poison, stale)))

    assert (
        "version 1 is not projected; 10 copies so far; stuck: one an hour until a redrive"
        in printed
    )
    assert "message m-1: no such event" in printed
    assert "message m-2; stale, its event is projected" in printed
    assert "no such account, behind" in printed


def test_the_json_is_one_object_with_the_projection_lag(shown: Callable[..., str]) -> None:
    said = json.loads(shown(traced(), as_json=True))

    assert (said["id"], said["kind"], said["account_id"]) == ("key[red]-1", "command", "alice")
    assert (said["target"], said["stack_name"]) == ("embedded", "Tidemark")
    assert [moment["offset_ms"] for moment in said["timeline"]] == [0, 2, 22, 22, 32, 42]
    [one] = said["events"]
    assert (one["lag_ms"], one["outbox"], one["has_statement_line"]) == (30, None, True)
    assert said["query_side"] == ROW


@pytest.mark.parametrize("as_json", [False, True])
def test_nothing_known_ends_with_3(shown: Callable[..., str], as_json: bool) -> None:  # noqa: FBT001 -- a parameter of the test
    with pytest.raises(EndedError) as ended:
        shown(Unknown(["here", "there"]), as_json=as_json)

    assert ended.value.exit_code is ExitCode.UNKNOWN
