"""The file of what the functions call."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tidemark.errors import NotStartedError
from tidemark.permissions.call_log import Call, CallLog

if TYPE_CHECKING:
    from pathlib import Path

CALLS = frozenset(
    {
        Call("Handler", "dynamodb:PutItem", "Table", "account#*"),
        Call("Handler", "sns:Publish", "Topic"),
    }
)


def test_a_call_log_reads_as_it_was_written(tmp_path: Path) -> None:
    written = CallLog({"queued": CALLS, "direct": frozenset()})
    written.write(tmp_path / "calls.json")
    assert CallLog.read(tmp_path / "calls.json") == written


def test_the_order_of_calls_does_not_show_in_the_file(tmp_path: Path) -> None:
    for name, calls in (("a", sorted(CALLS)), ("b", sorted(CALLS, reverse=True))):
        CallLog({"queued": frozenset(calls)}).write(tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"calls": []}', '{"calls": {"queued": [1]}}', '{"calls": {"queued": [{}]}}'],
)
def test_what_is_no_call_log_is_refused_with_how_to_write_it(tmp_path: Path, text: str) -> None:
    path = tmp_path / "calls.json"
    path.write_text(text)
    for one in (path, tmp_path / "absent.json"):
        with pytest.raises(NotStartedError, match=r"integration\.recording"):
            CallLog.read(one)
