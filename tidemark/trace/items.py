"""What both tables hold of a command, an event or an account: read by key, each read bounded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.types import TypeDeserializer

from tidemark.deploy.status import STUCK_ATTEMPTS
from tidemark.workloads.bank import log_partition

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from mypy_boto3_dynamodb import DynamoDBClient

    from tidemark.aws.clients import AwsClients
    from tidemark.host.deployment import Deployment

Row = dict[str, Any]

MOST_SCANNED_PAGES = 25
"""Where a search of the whole log stops: a page is a megabyte at the most."""

_EVENT = "event#"

_deserialize = TypeDeserializer().deserialize


@dataclass(frozen=True, slots=True, order=True)
class EventKey:
    """Where an event is in the log, and who says so."""

    account_id: str
    version: int
    event_id: str


@dataclass(frozen=True, slots=True)
class Mark:
    """An event's mark in the outbox: it is not projected yet.

    Attributes:
        due_ms: When the sweeper takes it next, UTC milliseconds.
        attempts: How many copies the sweeper has published.
    """

    due_ms: int
    attempts: int

    @property
    def is_stuck(self) -> bool:
        """Whether so many copies did not help; the sweeper publishes it once an hour."""
        return self.attempts >= STUCK_ATTEMPTS


@dataclass(frozen=True, slots=True)
class Event:
    """One event of the log.

    Attributes:
        key: Account, version and event id.
        type: What kind of fact it is.
        command_id: The idempotency key of the command that caused it.
        data: What is particular to its type.
        recorded_at_ms: When it was decided, UTC milliseconds.
        projected_at_ms: When it was projected; ``None`` when it is not yet.
        mark: Its mark in the outbox; ``None`` when it is projected.
    """

    key: EventKey
    type: str
    command_id: str
    data: Mapping[str, Any]
    recorded_at_ms: int
    projected_at_ms: int | None
    mark: Mark | None

    @property
    def lag_ms(self) -> int | None:
        """The projection lag by the system's clocks; ``None`` when it is not projected yet."""
        if self.projected_at_ms is None:
            return None
        return self.projected_at_ms - self.recorded_at_ms


@dataclass(frozen=True, slots=True)
class Scan:
    """What a search of the whole log found.

    Attributes:
        found: The events.
        is_complete: Whether it saw all of the log, or stopped at its bound.
    """

    found: list[Event]
    is_complete: bool


class Items:
    """Reads the command table and the query table of one deployment.

    Args:
        dynamodb: The target's client.
        command_table: The command table's name.
        query_table: The query table's name.
    """

    def __init__(self, dynamodb: DynamoDBClient, command_table: str, query_table: str) -> None:
        self._dynamodb = dynamodb
        self._command_table = command_table
        self._query_table = query_table

    @classmethod
    def of(cls, deployment: Deployment, clients: AwsClients) -> Items:
        """The tables of a deployment."""
        outputs = deployment.outputs
        return cls(clients.dynamodb, outputs["CommandTableName"], outputs["QueryTableName"])

    def command(self, idempotency_key: str) -> EventKey | None:
        """The event that a command caused, as its command record says."""
        row = self._get(self._command_table, f"command#{idempotency_key}", "command")
        if row is None:
            return None
        response = row["response"]
        return EventKey(response["account_id"], response["version"], response["event_id"])

    def head(self, account_id: str) -> Row | None:
        """An account as the write side has it."""
        return self._get(self._command_table, log_partition(account_id), "head")

    def account(self, account_id: str) -> Row | None:
        """An account as the query side has it."""
        return self._get(self._query_table, f"g1#{log_partition(account_id)}", "account")

    def line(self, account_id: str, version: int) -> Row | None:
        """The statement line of an event."""
        partition = f"g1#{log_partition(account_id)}"
        return self._get(self._query_table, partition, f"line#{version:012d}")

    def event(self, account_id: str, version: int) -> Event | None:
        """The event at a version."""
        row = self._get(self._command_table, log_partition(account_id), f"{_EVENT}{version:012d}")
        return None if row is None else _event(row)

    def newest_events(self, account_id: str, most: int) -> list[Event]:
        """The newest events of an account, in the order of their versions."""
        answer = self._dynamodb.query(
            TableName=self._command_table,
            ConsistentRead=True,
            ScanIndexForward=False,
            Limit=most,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :event)",
            ExpressionAttributeValues={
                ":pk": {"S": log_partition(account_id)},
                ":event": {"S": _EVENT},
            },
        )
        return sorted((_event(_plain(item)) for item in answer["Items"]), key=lambda one: one.key)

    def scan(self, wanted_id: str) -> Scan:
        """Search the log for an event id or an idempotency key; stops at a bound.

        No index has them: this is the last resort, and reads at most `MOST_SCANNED_PAGES`.
        """
        found: list[Event] = []
        pages = self._pages(wanted_id)
        for _ in range(MOST_SCANNED_PAGES):
            page = next(pages, None)
            if page is None:
                return Scan(found, is_complete=True)
            found += map(_event, page)
        return Scan(found, is_complete=next(pages, None) is None)

    def _pages(self, wanted_id: str) -> Iterator[Iterable[Row]]:
        pages = self._dynamodb.get_paginator("scan").paginate(
            TableName=self._command_table,
            FilterExpression="#event_id = :id OR #command_id = :id",
            ExpressionAttributeNames={"#event_id": "event_id", "#command_id": "command_id"},
            ExpressionAttributeValues={":id": {"S": wanted_id}},
        )
        return ([_plain(item) for item in page["Items"]] for page in pages)

    def _get(self, table: str, pk: str, sk: str) -> Row | None:
        item = self._dynamodb.get_item(
            TableName=table, Key={"pk": {"S": pk}, "sk": {"S": sk}}, ConsistentRead=True
        ).get("Item")
        return None if item is None else _plain(item)


def _event(row: Row) -> Event:
    return Event(
        key=EventKey(
            account_id=row["pk"].removeprefix(log_partition("")),
            version=int(row["sk"].removeprefix(_EVENT)),
            event_id=row["event_id"],
        ),
        type=row["type"],
        command_id=row["command_id"],
        data=row["data"],
        recorded_at_ms=row["recorded_at"],
        projected_at_ms=row.get("projected_at"),
        mark=Mark(row["due"], row["attempts"]) if "outbox" in row else None,
    )


def _plain(item: Mapping[str, Any]) -> Row:
    return {name: _integers(_deserialize(value)) for name, value in item.items()}


def _integers(value: Any) -> Any:
    """Every number in these tables is an integer; DynamoDB hands over decimals."""
    if isinstance(value, dict):
        return {name: _integers(inner) for name, inner in value.items()}
    return value if isinstance(value, str) else int(value)
