"""What is read from a function's log line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

import pytest

from tidemark.aws import logs
from tidemark.trace import lines
from tidemark.trace.lines import Lines
from tidemark.workloads.bank_items import EventKey

if TYPE_CHECKING:
    from collections.abc import Iterator

LOGGED_AT_MS = 1_795_425_143_999
NOTHING: Any = None


def line(text: str, function: str = "command-handler") -> logs.Line:
    return logs.Line(LOGGED_AT_MS, "", function, text)


def said(**members: Any) -> str:
    return json.dumps({"message": "invocation", **members})


def test_a_line_happened_when_the_function_says_so_not_when_it_was_collected() -> None:
    parsed = lines.parse(line(said(timestamp="2026-11-23 09:12:23,034+0000")))

    assert parsed is not None
    assert parsed.at_ms == 1_795_425_143_034


def test_a_line_in_another_time_zone_is_the_same_moment() -> None:
    parsed = lines.parse(line(said(timestamp="2026-11-23 10:12:23,034+0100")))

    assert parsed is not None
    assert parsed.at_ms == 1_795_425_143_034


@pytest.mark.parametrize("timestamp", ["yesterday", None, 5])
def test_a_line_without_a_time_of_its_own_has_that_of_the_log(timestamp: Any) -> None:
    parsed = lines.parse(line(said(timestamp=timestamp)))

    assert parsed is not None
    assert parsed.at_ms == LOGGED_AT_MS


@pytest.mark.parametrize("text", ["START RequestId: 1", "[1]", '{"_aws": {}}', ""])
def test_lines_of_the_runtime_and_of_metrics_are_none(text: str) -> None:
    assert lines.parse(line(text)) is None


def test_the_lines_about_an_id_come_in_order_of_time(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = {
        "command-handler": [
            said(command_id="AIDA#key", timestamp="2026-11-23 09:12:23,300+0000"),
            said(command_id="-#key of another", timestamp="2026-11-23 09:12:23,000+0000"),
        ],
        "update-processor": [said(command_id="-#key", timestamp="2026-11-23 09:12:23,100+0000")],
        "outbox-sweeper": [said(outcome="key")],
    }
    asked: list[str | None] = []

    def read(*arguments: Any, containing: str | None, **_: Any) -> Iterator[logs.Line]:
        asked.append(containing)
        [function] = arguments[2]
        return (line(text, function) for text in texts[function])

    monkeypatch.setattr(logs, "read", read)

    found = Lines(NOTHING, NOTHING).about("key", since_ms=0)

    assert [one.function for one in found] == ["update-processor", "command-handler"]
    assert asked == ["key", "key", "key"]


@pytest.mark.parametrize(
    ("wanted_id", "containing"), [("AIDA#key", "key"), ("-#a#b", "b"), ("AIDA#", None)]
)
def test_a_command_is_looked_for_by_its_key_and_told_by_all_of_its_id(
    monkeypatch: pytest.MonkeyPatch, wanted_id: str, containing: str | None
) -> None:
    asked: list[str | None] = []

    def read(*_: Any, containing: str | None, **__: Any) -> Iterator[logs.Line]:
        asked.append(containing)
        return iter([line(said(command_id=one)) for one in (wanted_id, f"AROA#{wanted_id}x")])

    monkeypatch.setattr(logs, "read", read)

    found = Lines(NOTHING, NOTHING).about(wanted_id, since_ms=0)

    assert set(asked) == {containing}
    assert {one.members["command_id"] for one in found} == {wanted_id}


@pytest.mark.parametrize("wanted_id", ['a "quoted" key', "two words", "-a", "a?b", "{ $.x = 1 }"])
def test_an_id_that_a_filter_pattern_would_misread_is_not_put_into_one(
    monkeypatch: pytest.MonkeyPatch, wanted_id: str
) -> None:
    asked: list[str | None] = []

    def read(*_: Any, containing: str | None, **__: Any) -> Iterator[logs.Line]:
        asked.append(containing)
        return iter([line(said(command_id=wanted_id))])

    monkeypatch.setattr(logs, "read", read)

    found = Lines(NOTHING, NOTHING).about(wanted_id, since_ms=0)

    assert set(asked) == {None}
    assert len(found) == len(lines.WRITERS)


def test_the_log_is_asked_for_the_word_in_quotes_where_it_is_stored() -> None:
    asked: list[dict[str, Any]] = []

    class AwsClients:
        class functions:  # noqa: N801 -- an attribute of the clients
            @staticmethod
            def get_function_configuration(**_: str) -> dict[str, Any]:
                return {}

        class logs:  # noqa: N801 -- likewise
            class exceptions:  # noqa: N801 -- likewise
                ResourceNotFoundException = KeyError

            @staticmethod
            def get_paginator(_: str) -> Any:
                class Pages:
                    @staticmethod
                    def paginate(**arguments: Any) -> Iterator[dict[str, Any]]:
                        asked.append(arguments)
                        return iter([{"events": []}])

                return Pages

    class Deployment:
        outputs = dict.fromkeys(logs.FUNCTIONS.values(), "fn")

    Lines(cast("Any", AwsClients), cast("Any", Deployment)).about("key-1", since_ms=7)

    assert {one["filterPattern"] for one in asked} == {'"key-1"'}
    assert {one["startTime"] for one in asked} == {7}
    assert {one["logGroupName"] for one in asked} == {"/aws/lambda/fn"}


def test_an_event_is_named_in_full_or_not_at_all() -> None:
    full = {"account_id": "alice", "version": 2, "event_id": "e"}

    assert lines.event_key(full) == EventKey("alice", 2, "e")
    for name in full:
        assert lines.event_key({one: value for one, value in full.items() if one != name}) is None
    assert lines.event_key(full | {"version": "2"}) is None
