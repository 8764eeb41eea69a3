"""What both tables hold of a command, an event or an account: read by key, each read bounded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tidemark.workloads.bank_items import event_of
from tidemark.workloads.bank_tables import BankTables

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tidemark.workloads.bank_items import Event

MOST_SCANNED_PAGES = 25
"""Where a search of the whole log stops: a page is a megabyte at the most."""


@dataclass(frozen=True, slots=True)
class Scan:
    """What a search of the whole log found.

    Attributes:
        found: The events.
        is_complete: Whether it saw all of the log, or stopped at its bound.
    """

    found: list[Event]
    is_complete: bool


class Items(BankTables):
    """The tables of a deployment, which can be searched where no key leads."""

    def scan(self, wanted_id: str) -> Scan:
        """Search the log for an event id, a command id or an idempotency key; stops at a bound.

        Besides those there may be some whose command only looks alike. No index has them: this is
        the last resort, and reads at most `MOST_SCANNED_PAGES`.
        """
        found: list[Event] = []
        pages = self._pages(wanted_id)
        for _ in range(MOST_SCANNED_PAGES):
            page = next(pages, None)
            if page is None:
                return Scan(found, is_complete=True)
            found += page
        return Scan(found, is_complete=next(pages, None) is None)

    def _pages(self, wanted_id: str) -> Iterator[list[Event]]:
        pages = self.dynamodb.get_paginator("scan").paginate(
            TableName=self.command_table,
            FilterExpression="#event_id = :id OR #command_id = :id OR contains(#command_id, :key)",
            ExpressionAttributeNames={"#event_id": "event_id", "#command_id": "command_id"},
            ExpressionAttributeValues={":id": {"S": wanted_id}, ":key": {"S": f"#{wanted_id}"}},
        )
        return ([event_of(item) for item in page["Items"]] for page in pages)
