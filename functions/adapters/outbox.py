"""The outbox: the events of the log that the projection has not acknowledged yet.

The log itself is the outbox. A sparse index lists the keys of events that still carry a mark
(`outbox`, `due`, `attempts`); the projection removes the mark in the transaction that applies
the event. The index may lag, so the base items, read consistently, have the last word.
"""

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from functions.adapters.clock import Clock
from functions.adapters.event_codec import event_key, from_log
from functions.adapters.items import from_item, to_item
from functions.adapters.transactions import FAILED_CONDITION_EXCEPTION
from functions.domain.account import Event

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

INDEX = "outbox"
SHARDS = 16
"""One index partition takes 1,000 write units a second and holds up its table beyond that."""

THRESHOLD_MS = 20_000
"""How long an event may be on its way before the sweeper publishes it again."""

MOST_ATTEMPTS = 10
"""After so many copies an event is stuck: the transport is not what stops it."""

NEVER = 9_999_999_999_999
"""The `due` of a stuck event: published again only after a redrive."""

_LONGEST_BACKOFF_MS = 15 * 60_000
_READ_AT_ONCE = (
    100  # https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html
)


@dataclass(frozen=True, slots=True)
class Unprojected:
    """An event that still carries its mark: due at a time (UTC ms), after `attempts` copies."""

    event: Event
    due: int
    attempts: int

    @property
    def stuck(self) -> bool:
        """Whether the sweeper has given up on it."""
        return self.attempts >= MOST_ATTEMPTS


def fresh_mark(event: Event) -> dict[str, int]:
    """Return the mark of an event that was just appended."""
    return {
        "outbox": zlib.crc32(event.account_id.encode()) % SHARDS,
        "due": event.recorded_at + THRESHOLD_MS,
        "attempts": 0,
    }


def backoff_ms(attempts: int) -> int:
    """Return how long to wait for an acknowledgement after so many copies."""
    doubled: int = THRESHOLD_MS << min(attempts, MOST_ATTEMPTS)
    return min(_LONGEST_BACKOFF_MS, doubled)


class Outbox:
    """The unprojected events of one command table."""

    def __init__(self, dynamodb: "DynamoDBClient", table_name: str, clock: Clock) -> None:
        self._dynamodb = dynamodb
        self._table_name = table_name
        self._clock = clock

    def unprojected(self, *, most_per_shard: int, due_from: int = 0) -> list[Unprojected]:
        """Return what the projection owes, what is due longest first.

        Args:
            most_per_shard: how many events of each shard at the most, those due first.
            due_from: leave out what is due before (UTC ms).
        """
        keys = [
            key for shard in range(SHARDS) for key in self._keys(shard, due_from, most_per_shard)
        ]
        found = [
            _unprojected(values)
            for first in range(0, len(keys), _READ_AT_ONCE)
            for values in self._read(keys[first : first + _READ_AT_ONCE])
            if "outbox" in values
        ]
        return sorted(found, key=lambda entry: entry.due)

    def _keys(self, shard: int, due_from: int, most: int) -> list[dict[str, str]]:
        pages = self._dynamodb.get_paginator("query").paginate(
            TableName=self._table_name,
            IndexName=INDEX,
            KeyConditionExpression="#outbox = :shard AND #due >= :due_from",
            ExpressionAttributeNames={"#outbox": "outbox", "#due": "due"},
            ExpressionAttributeValues=to_item({":shard": shard, ":due_from": due_from}),
            PaginationConfig={"MaxItems": most},
        )
        items = [from_item(item) for page in pages for item in page["Items"]]
        return [{"pk": item["pk"], "sk": item["sk"]} for item in items]

    def _read(self, keys: list[dict[str, str]]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        request: Any = {
            self._table_name: {"Keys": [to_item(key) for key in keys], "ConsistentRead": True}
        }
        attempt = 0
        while request:
            if attempt:  # DynamoDB had no room for the rest
                self._clock.pause(self._clock.jittered_ms(attempt, base_ms=50, longest_ms=2_000))
            attempt += 1
            answer = self._dynamodb.batch_get_item(RequestItems=request)
            found += [from_item(item) for item in answer["Responses"].get(self._table_name, [])]
            request = answer.get("UnprocessedKeys")
        return found

    def postpone(self, entry: Unprojected, *, due: int, attempts: int) -> bool:
        """Write when an event is due next and how often it was published, if it is still owed.

        Returns:
            False if the projection acknowledged it meanwhile, or another sweep postponed it.
        """
        try:
            self._dynamodb.update_item(
                TableName=self._table_name,
                Key=to_item(event_key(entry.event.account_id, entry.event.version)),
                UpdateExpression="SET #due = :due, #attempts = :attempts",
                ConditionExpression="attribute_exists(#outbox) AND #due = :seen",
                ExpressionAttributeNames={
                    "#due": "due",
                    "#attempts": "attempts",
                    "#outbox": "outbox",
                },
                ExpressionAttributeValues=to_item(
                    {":due": due, ":attempts": attempts, ":seen": entry.due}
                ),
            )
        except ClientError as error:
            if error.response["Error"]["Code"] == FAILED_CONDITION_EXCEPTION:
                return False
            raise
        return True


def _unprojected(values: dict[str, Any]) -> Unprojected:
    return Unprojected(event=from_log(values), due=values["due"], attempts=values["attempts"])
