"""What both tables hold becomes the rows of a run, in whatever order a scan gives it."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from tests.workloads.items import event_item
from tidemark.workloads.bank_history import BankHistory
from tidemark.workloads.bank_tables import BankTables

if TYPE_CHECKING:
    from collections.abc import Iterator

RUN = "20261127T101112-abcdef"
HOT, SERVERS, FOREIGN = f"{RUN}.a1", "made-by-the-server", "anybody"


@dataclass
class Scanned:
    """Two tables; a scan lets through what names the run, in the order the items are in."""

    tables: dict[str, list[dict[str, Any]]]

    def get_paginator(self, operation: str) -> Scanned:
        assert operation in ("scan", "query")
        return self

    def paginate(self, **asked: Any) -> Iterator[dict[str, Any]]:
        assert asked["ConsistentRead"]
        values = asked["ExpressionAttributeValues"]
        for item in self.tables[asked["TableName"]]:
            owner = item.get("owner_id", {"S": ""})["S"]
            if ":pk" in values:
                is_wanted = item["pk"] == values[":pk"]
            else:
                run = values[":run"]["S"]
                is_wanted = run in item["pk"]["S"] or owner.startswith(run)
            yield {"Items": [item] if is_wanted else []}


def event(account_id: str, version: int, owner: str) -> dict[str, Any]:
    item = event_item(account_id, version, event_id=f"{account_id}-{version}", projected_at_ms=9)
    return item | {"owner_id": {"S": owner}}


def line(account_id: str, version: int) -> dict[str, Any]:
    return {
        "pk": {"S": f"g1#account#{account_id}"},
        "sk": {"S": f"line#{version:012d}"},
        "type": {"S": "FundsDeposited"},
        **{name: {"N": "5"} for name in ("amount", "balance", "recorded_at")},
    }


@pytest.mark.parametrize("seed", range(3))
def test_a_scan_may_give_the_events_of_accounts_in_any_order(seed: int) -> None:
    log = [event(HOT, version, f"{RUN}.o1") for version in range(1, 40)]
    log += [event(SERVERS, version, f"{RUN}.o1") for version in range(1, 4)]
    log += [event(FOREIGN, version, "stranger") for version in range(1, 4)]
    lines = [line(one, 1) for one in (HOT, SERVERS, FOREIGN)]
    for items in (log, lines):
        Random(seed).shuffle(items)  # noqa: S311 -- reproducible draws, not secrets
    bank = BankHistory(BankTables(Scanned({"log": log, "views": lines}), "log", "views"))  # type: ignore[arg-type]  # all that is asked

    rows = list(bank.export(RUN))

    events = [row for table, row in rows if table == "events"]
    assert [(row["aggregate"], row["version"]) for row in events] == [
        *((HOT, version) for version in range(1, 40)),
        *((SERVERS, version) for version in range(1, 4)),
    ]
    states = {row["state_digest"] for row in events}
    assert len(states) == len(events)
    assert {row["aggregate"] for table, row in rows if table == "lines"} == {HOT, SERVERS}
