"""A log is read to its end, however many lines it has."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ministack.services import cloudwatch_logs

from tidemark.targets.guard.paging import page_logs

if TYPE_CHECKING:
    from collections.abc import Iterator

_GROUP = "/aws/lambda/processor"


@pytest.fixture(scope="module", autouse=True)
def _paged() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cloudwatch_logs, "_filter_log_events", cloudwatch_logs._filter_log_events)
        page_logs()
        yield
        cloudwatch_logs.reset()


def _log(*streams: list[int]) -> None:
    cloudwatch_logs.reset()
    cloudwatch_logs._create_log_group({"logGroupName": _GROUP})
    for number, stream in enumerate(streams):
        name = {"logGroupName": _GROUP, "logStreamName": f"{number}"}
        cloudwatch_logs._create_log_stream(name)
        lines = [
            {"timestamp": at_ms, "message": f"{number}.{line}"} for line, at_ms in enumerate(stream)
        ]
        cloudwatch_logs._put_log_events({**name, "logEvents": lines})


def _answer(**asked: Any) -> dict[str, Any]:
    _, _, body = cloudwatch_logs._filter_log_events({"logGroupName": _GROUP, **asked})
    said: dict[str, Any] = json.loads(body)
    return said


def _read(**asked: Any) -> list[str]:
    lines = []
    more: dict[str, Any] = {}
    while True:
        said = _answer(**asked, **more)
        lines += [one["message"] for one in said["events"]]
        if "nextToken" not in said:
            return lines
        more = {"nextToken": said["nextToken"]}


def test_a_log_of_more_than_ten_thousand_lines_is_read_to_its_end() -> None:
    _log(list(range(25_000)))

    assert _read() == [f"0.{line}" for line in range(25_000)]


@settings(deadline=None)
@given(
    streams=st.lists(
        st.lists(st.integers(1, 5), min_size=1, max_size=9).map(sorted), min_size=1, max_size=4
    ),
    limit=st.integers(1, 7),
    since=st.integers(0, 6),
)
def test_no_line_is_left_out_or_said_twice_where_pages_meet(
    streams: list[list[int]], limit: int, since: int
) -> None:
    _log(*streams)

    said = _read(limit=limit, startTime=since)

    assert sorted(said) == sorted(
        f"{number}.{line}"
        for number, stream in enumerate(streams)
        for line, at_ms in enumerate(stream)
        if at_ms >= since
    )


@pytest.mark.parametrize("token", ["", "?", "MQ==", "YS9i"])
def test_a_token_of_nobodys_is_refused(token: str) -> None:
    _log([1])

    assert _answer(nextToken=token)["__type"] == "InvalidParameterException"


def test_a_log_that_is_not_there_is_said_to_be_not_there() -> None:
    cloudwatch_logs.reset()

    assert _answer()["__type"] == "ResourceNotFoundException"
