"""What is read from the tables, and where a search of the whole log stops."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import pytest

from tidemark.trace.items import MOST_SCANNED_PAGES, Items
from tidemark.workloads.bank_items import Event, EventKey, Mark

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_dynamodb import DynamoDBClient

EVENT = {
    "pk": {"S": "account#alice"},
    "sk": {"S": "event#000000000002"},
    "event_id": {"S": "e"},
    "type": {"S": "FundsDeposited"},
    "owner_id": {"S": "owner"},
    "command_id": {"S": "-#key"},
    "data": {"M": {"amount": {"N": "5"}, "balance": {"N": "9007199254740991"}}},
    "recorded_at": {"N": "1000"},
}


@dataclass
class Dynamodb:
    items: dict[tuple[str, str, str], Any] = field(default_factory=dict)
    pages: list[list[Any]] = field(default_factory=list)
    turned: int = 0

    def get_item(self, **asked: Any) -> dict[str, Any]:
        assert asked["ConsistentRead"]
        key = (asked["TableName"], asked["Key"]["pk"]["S"], asked["Key"]["sk"]["S"])
        return {"Item": self.items[key]} if key in self.items else {}

    def get_paginator(self, operation: str) -> Any:
        assert operation == "scan"
        return self

    def paginate(self, **asked: Any) -> Iterator[dict[str, Any]]:
        assert asked["TableName"] == "commands"
        for page in self.pages:
            self.turned += 1
            yield {"Items": page}


def items(dynamodb: Dynamodb) -> Items:
    return Items(cast("DynamoDBClient", dynamodb), "commands", "queries")


def test_a_waiting_event_has_its_mark_and_no_lag() -> None:
    mark = {"outbox": {"N": "3"}, "due": {"N": "21000"}, "attempts": {"N": "10"}}
    stored = Dynamodb({("commands", "account#alice", "event#000000000002"): EVENT | mark})

    found = items(stored).event("alice", 2)

    assert found == Event(
        key=EventKey("alice", 2, "e"),
        type="FundsDeposited",
        owner_id="owner",
        command_id="-#key",
        data={"amount": 5, "balance": 9_007_199_254_740_991},
        recorded_at_ms=1000,
        projected_at_ms=None,
        mark=Mark(due_ms=21_000, attempts=10),
    )
    assert found.lag_ms is None
    assert found.mark is not None
    assert found.mark.is_stuck


def test_a_projected_event_has_its_lag_and_no_mark() -> None:
    projected = EVENT | {"projected_at": {"N": "1042"}}
    stored = Dynamodb({("commands", "account#alice", "event#000000000002"): projected})

    found = items(stored).event("alice", 2)

    assert found is not None
    assert (found.lag_ms, found.mark) == (42, None)


def test_a_command_record_names_its_event() -> None:
    response = {"account_id": {"S": "alice"}, "version": {"N": "2"}, "event_id": {"S": "e"}}
    record = {"response": {"M": response}}
    stored = Dynamodb({("commands", "command#-#a key", "command"): record})

    assert items(stored).command("-#a key") == EventKey("alice", 2, "e")
    assert items(stored).command("-#another") is None


def test_each_side_is_read_from_its_own_table() -> None:
    stored = Dynamodb(
        {
            ("commands", "account#alice", "head"): {"version": {"N": "2"}},
            ("queries", "g1#account#alice", "account"): {"version": {"N": "1"}},
            ("queries", "g1#account#alice", "line#000000000001"): {"amount": {"N": "5"}},
        }
    )

    found = items(stored)

    assert found.head("alice") == {"version": 2}
    assert found.account("alice") == {"version": 1}
    assert found.line("alice", 1) == {"amount": 5}
    assert found.line("alice", 2) is None


@pytest.mark.parametrize(
    ("pages", "is_complete"),
    [(1, True), (MOST_SCANNED_PAGES, True), (MOST_SCANNED_PAGES + 5, False)],
)
def test_a_search_of_the_log_stops_at_its_bound(pages: int, is_complete: bool) -> None:  # noqa: FBT001 -- a parameter of the test
    stored = Dynamodb(pages=[[EVENT]] * pages)

    scan = items(stored).scan("e")

    assert scan.is_complete is is_complete
    assert len(scan.found) == min(pages, MOST_SCANNED_PAGES)
    assert stored.turned <= MOST_SCANNED_PAGES + 1
