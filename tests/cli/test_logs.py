"""The verb logs: what functions logged, in the order in which they did, for people or whole."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tidemark.aws import logs
from tidemark.aws.logs import Line
from tidemark.cli import known, options, program
from tidemark.cli import logs as verb

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    Logs = Callable[..., list[str]]

AT_MS = 1_795_733_770_660
TRACEBACK = [
    "[ERROR] KeyError: 'amount'",
    "Traceback (most recent call last):",
    '  File "/var/task/handler.py", line 9, in handle',
    "    amount = body['amount']",
    "KeyError: 'amount'",
]


def line(text: str, at_ms: int = AT_MS, event_id: str = "") -> Line:
    return Line(at_ms, event_id, "command-handler", text)


def said(**members: Any) -> Line:
    return line(json.dumps({"level": "INFO", "message": "invocation"} | members))


@pytest.fixture
def printed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Logs:
    """Runs the verb on functions that logged some lines; what it prints, and says besides."""

    def run(lines: Iterable[Line], *arguments: str) -> list[str]:
        def read(*_: object, since_ms: int) -> Iterator[Line]:
            assert since_ms > 0
            yield from lines

        monkeypatch.setattr(logs, "read", read)
        monkeypatch.setattr(known, "reach", lambda *_: (None, None))
        monkeypatch.setattr(sys, "argv", ["tidemark", "logs", *arguments])
        assert program.run() == 0
        out, err = capsys.readouterr()
        return [*out.splitlines(), *err.splitlines()]

    return run


def test_lines_of_one_millisecond_stay_in_the_order_in_which_they_came(printed: Logs) -> None:
    found = printed([line(one) for one in TRACEBACK])

    assert [one.split("command-handler          ")[1] for one in found] == TRACEBACK


def test_lines_of_several_functions_are_in_order_of_time(printed: Logs) -> None:
    later = line("later", AT_MS + 1)

    found = printed([later, Line(AT_MS, "", "query-handler", "earlier")])

    assert [one.split()[-1] for one in found] == ["earlier", "later"]


def test_a_json_line_is_read_as_time_function_level_what_happened_and_the_rest(
    printed: Logs,
) -> None:
    of_no_interest = {"location": "handle:9", "timestamp": "…", "service": "…", "trace": "…"}

    [found] = printed([said(outcome="accepted", version=2, healed=[1], no="", **of_no_interest)])

    assert found == (
        "22:56:10.660 command-handler  INFO    invocation accepted version=2 healed=[1]"
    )


@pytest.mark.parametrize(
    "text",
    [
        "START RequestId: 1 Version: $LATEST",
        "END RequestId: 1",
        "REPORT RequestId: 1\tDuration: 3 ms",
        '{"time": "…", "type": "platform.report", "record": {}}',
        '{"_aws": {"Timestamp": 1}, "CommandsAccepted": [1.0]}',
        "",
    ],
)
def test_what_tells_nothing_of_what_happened_is_left_out(printed: Logs, text: str) -> None:
    assert printed([line(text)]) == []
    assert len(printed([line(text)], "--json")) == 1


def test_a_report_of_an_invocation_that_was_cut_short_is_shown(printed: Logs) -> None:
    [found] = printed([line("REPORT RequestId: 1\tDuration: 3 ms\tStatus: timeout")])

    assert found.endswith("Status: timeout")


def test_the_traceback_of_a_json_line_stands_below_it(printed: Logs) -> None:
    trace = "Traceback (most recent call last):\n  File …\nKeyError: 'amount'"

    found = printed([said(level="ERROR", message="failed", exception=trace)])

    assert found[0].endswith("ERROR   failed")
    assert found[1:] == [f"    {one}" for one in trace.split("\n")]


def test_a_line_of_lambda_about_an_unhandled_error_has_its_stack(printed: Logs) -> None:
    found = printed([said(level="ERROR", message="'amount'", stackTrace=["  File …\n", "    x\n"])])

    assert found[1:] == ["      File …", "        x"]


def test_a_level_leaves_out_what_is_below_it_and_nothing_that_has_none(printed: Logs) -> None:
    lines = [said(level=one, message=one) for one in ("DEBUG", "INFO", "WARNING", "ERROR")]

    found = printed([*lines, line("Traceback …")], "--level", "warning")

    assert [one.split()[-1] for one in found] == ["WARNING", "ERROR", "…"]


def test_the_newest_lines_are_printed_and_what_is_left_out_is_said(printed: Logs) -> None:
    lines = [line(str(number)) for number in range(300)]

    *found, sentence = printed(lines)

    assert [int(one.split()[-1]) for one in found] == list(range(100, 300))
    assert sentence == "These are the newest 200 of 300 lines: --lines 0 prints all."
    assert len(printed(lines, "--lines", "0")) == 300
    assert len(printed(lines, "--json")) == 300


def test_a_json_line_is_whole(printed: Logs) -> None:
    found = printed([said(trace="Root=1"), line("plain")], "--json")

    assert [json.loads(one) for one in found] == [
        {
            "at_ms": AT_MS,
            "function": "command-handler",
            "said": {"level": "INFO", "message": "invocation", "trace": "Root=1"},
        },
        {"at_ms": AT_MS, "function": "command-handler", "said": "plain"},
    ]


def test_what_is_logged_cannot_move_the_cursor_of_a_terminal(printed: Logs) -> None:
    [found] = printed([said(message="a\x1b[2Jb\rc")])

    assert found.endswith("a\\x1b[2Jb\\x0dc")


def test_each_line_is_given_once_also_if_another_is_just_like_it() -> None:
    logged: list[Line] = []
    tail = verb._Tail(lambda since_ms: [one for one in logged if one.at_ms >= since_ms], 0)

    logged += [line("same"), line("same")]
    assert len(tail.new()) == 2
    logged += [line("same"), line("late", AT_MS - 5_000)]
    assert [one.text for one in tail.new()] == ["late", "same"]
    logged.append(line("next", AT_MS + 60_000))
    assert [one.text for one in tail.new()] == ["next"]
    assert tail.new() == []


@pytest.mark.parametrize(
    ("words", "minutes"), [("5m", 5), ("90s", 1.5), ("2h", 120), ("1d", 1440), ("7", 7), (15.0, 15)]
)
def test_a_time_to_look_back_is_said_in_a_unit(words: str | float, minutes: float) -> None:
    assert options.minutes(words) == minutes
