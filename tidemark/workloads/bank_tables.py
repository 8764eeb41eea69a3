"""The bank's tables, read consistently and by key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from tidemark.workloads import bank_items
from tidemark.workloads.bank_items import event_of, event_of_command, plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mypy_boto3_dynamodb import DynamoDBClient

    from tidemark.aws.clients import AwsClients
    from tidemark.host.deployment import Deployment
    from tidemark.workloads.bank_items import Event, EventKey, Key, Row


@dataclass(frozen=True)
class BankTables:
    """The command table and the query table of one deployment.

    Attributes:
        dynamodb: The target's client.
        command_table: The command table's name.
        query_table: The query table's name.
    """

    dynamodb: DynamoDBClient
    command_table: str
    query_table: str

    @classmethod
    def of(cls, deployment: Deployment, clients: AwsClients) -> Self:
        """Return the tables of a deployment."""
        outputs = deployment.outputs
        return cls(clients.dynamodb, outputs["CommandTableName"], outputs["QueryTableName"])

    def event(self, account_id: str, version: int) -> Event | None:
        """Return the event at a version."""
        found = self._get(self.command_table, bank_items.event_key(account_id, version))
        return None if found is None else event_of(found)

    def log(self, account_id: str) -> list[Event]:
        """Return all events of an account, in order."""
        found = self._query(self.command_table, bank_items.all_events(account_id))
        return [event_of(item) for item in found]

    def newest_events(self, account_id: str, most: int) -> list[Event]:
        """Return the newest events of an account, in order."""
        found = self.dynamodb.query(
            TableName=self.command_table,
            ScanIndexForward=False,
            Limit=most,
            **bank_items.all_events(account_id),
        )["Items"]
        return [event_of(item) for item in reversed(found)]

    def command(self, command_id: str) -> EventKey | None:
        """Return the event of an accepted command, as its record says."""
        found = self._row(self.command_table, bank_items.command_key(command_id))
        return None if found is None else event_of_command(found)

    def head(self, account_id: str) -> Row | None:
        """Return an account as the write side has it."""
        return self._row(self.command_table, bank_items.head_key(account_id))

    def account(self, account_id: str) -> Row | None:
        """Return an account as the query side has it."""
        return self._row(self.query_table, bank_items.account_key(account_id))

    def line(self, account_id: str, version: int) -> Row | None:
        """Return the statement line of a version."""
        return self._row(self.query_table, bank_items.line_key(account_id, version))

    def lines(self, account_id: str) -> list[Row]:
        """Return all statement lines of an account, oldest first."""
        found = self._query(self.query_table, bank_items.all_lines(account_id))
        return [plain(item) for item in found]

    def totals(self, owner_id: str) -> Row | None:
        """Return an owner's totals."""
        return self._row(self.query_table, bank_items.totals_key(owner_id))

    def view(self, account_id: str) -> Iterator[Mapping[str, Any]]:
        """Return all that the query side has of an account."""
        return self._query(self.query_table, bank_items.view_of(account_id))

    def filtered(self, table: str, arguments: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        """Return the items of a table that a filter lets through; all are read, consistently."""
        pages = self.dynamodb.get_paginator("scan").paginate(
            TableName=table, ConsistentRead=True, **arguments
        )
        return (item for page in pages for item in page["Items"])

    def _row(self, table: str, key: Key) -> Row | None:
        found = self._get(table, key)
        return None if found is None else plain(found)

    def _get(self, table: str, key: Key) -> Mapping[str, Any] | None:
        return self.dynamodb.get_item(TableName=table, Key=key, ConsistentRead=True).get("Item")

    def _query(self, table: str, arguments: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        pages = self.dynamodb.get_paginator("query").paginate(TableName=table, **arguments)
        return (item for page in pages for item in page["Items"])
