from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import pytest

from tidemark.errors import TidemarkError
from tidemark.measures.lag import Lag, LagMeter
from tidemark.percentiles import Spread

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_dynamodb import DynamoDBClient

A, B = "account#a", "account#b"


def logged(event_id: str, recorded_at: int, projected_at: int | None) -> dict[str, Any]:
    item = {"event_id": {"S": event_id}, "recorded_at": {"N": str(recorded_at)}}
    if projected_at is not None:
        item["projected_at"] = {"N": str(projected_at)}
    return item


@dataclass
class Log:
    """The command table, behind the face of boto3's paginator; each read shows the next state."""

    states: dict[str, list[list[dict[str, Any]]]]
    reads: list[str] = field(default_factory=list)
    interrupts: bool = False

    def get_paginator(self, name: str) -> Log:
        assert name == "query"
        return self

    def paginate(self, **query: Any) -> Iterator[dict[str, Any]]:
        assert query["TableName"] == "commands"
        assert query["ConsistentRead"] is True
        partition = query["ExpressionAttributeValues"][":pk"]["S"]
        self.reads.append(partition)
        states = self.states[partition]
        if len(states) == 1 and self.interrupts:
            raise KeyboardInterrupt
        for item in states.pop(0) if len(states) > 1 else states[0]:
            yield {"Items": [item]}


def measured(log: Log, acknowledged: set[str], within_s: float = 5.0) -> Lag:
    meter = LagMeter(cast("DynamoDBClient", log), "commands")
    return meter.wait(log.states, acknowledged, within_s=within_s)


def test_the_lag_of_an_event_is_from_recorded_to_projected() -> None:
    log = Log({A: [[logged("a1", 100, 130), logged("a2", 200, 250)]], B: [[logged("b1", 5, 15)]]})
    lag = measured(log, {"a1", "a2", "b1"})
    assert (lag.events, lag.projected, lag.late, lag.missing) == (3, 3, [], [])
    assert lag.spread == Spread(30, 50, 50, 50)
    assert lag.is_complete


def test_an_event_is_waited_for_and_what_is_done_is_not_read_again() -> None:
    pending = [logged("b1", 0, None)]
    log = Log({A: [[logged("a1", 0, 10)]], B: [pending, pending, [logged("b1", 0, 90)]]})
    lag = measured(log, {"a1", "b1"})
    assert (lag.projected, lag.late) == (2, [])
    assert log.reads.count(A) == 1
    assert log.reads.count(B) == 3


def test_an_event_that_is_not_projected_by_the_deadline_is_named() -> None:
    log = Log({A: [[logged("a1", 0, 10), logged("a2", 0, None)]]})
    lag = measured(log, {"a1", "a2"}, within_s=0)
    assert (lag.events, lag.projected, lag.late) == (2, 1, ["a2"])
    assert lag.spread == Spread(10, 10, 10, 10)
    assert lag.is_complete


def test_an_event_that_nobody_acknowledged_counts_as_well() -> None:
    lag = measured(Log({A: [[logged("a1", 0, 10), logged("a2", 0, 30)]]}), {"a1"})
    assert (lag.events, lag.projected, lag.missing) == (2, 2, [])


def test_an_acknowledged_event_that_the_log_does_not_have_is_named() -> None:
    assert measured(Log({A: [[logged("a1", 0, 10)]]}), {"a1", "a2"}).missing == ["a2"]


def test_a_wait_that_is_cut_short_says_what_it_saw() -> None:
    log = Log({A: [[logged("a1", 0, None)], [logged("a1", 0, None)]]}, interrupts=True)
    lag = measured(log, {"a1"})
    assert not lag.is_complete
    assert lag.late == ["a1"]


def test_no_aggregates_have_no_lag() -> None:
    lag = measured(Log({}), set())
    assert (lag.events, lag.spread) == (0, None)


@pytest.mark.parametrize(
    "item",
    [
        {"recorded_at": {"N": "1"}},
        {"event_id": {"S": "a1"}},
        {"event_id": {"S": "a1"}, "recorded_at": {"N": "soon"}},
    ],
)
def test_an_event_that_cannot_be_read_is_said_in_one_sentence(item: dict[str, Any]) -> None:
    with pytest.raises(TidemarkError, match="account#a has an event"):
        measured(Log({A: [[item]]}), set())
