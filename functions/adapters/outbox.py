"""The outbox: the events of the log that the projection has not acknowledged yet.

The log itself is the outbox. A sparse index lists the keys of events that still carry a mark
(`outbox`, `due`, `attempts`); the projection removes the mark in the transaction that applies
the event. The index may lag, so the base items, read consistently, have the last word.
"""

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from functions.adapters.aws_errors import ContendedError, RefusedWriteError, sorted_errors
from functions.adapters.clock import Clock
from functions.adapters.event_codec import Unreadable, from_log
from functions.adapters.items import from_item, to_item
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

STUCK_BACKOFF_MS = 60 * 60_000
"""How long a stuck event waits between two copies."""

UNREADABLE_BACKOFF_MS = 5 * 60_000
"""How long until an event is looked at again that only another version can read."""

_LONGEST_BACKOFF_MS = 15 * 60_000

# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html
_READ_AT_ONCE = 100
_MOST_IN_VAIN = 5

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Unprojected:
    """An event that still carries its mark: due at a time (UTC ms), after `attempts` copies.

    `recorded_at` (UTC ms) is None only where not even that could be read.
    """

    key: Key
    event: Event | Unreadable
    recorded_at: int | None
    due: int
    attempts: int

    @property
    def stuck(self) -> bool:
        """Whether so many copies were published that the transport cannot be the cause."""
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
    if attempts >= MOST_ATTEMPTS:
        return STUCK_BACKOFF_MS
    doubled: int = THRESHOLD_MS << attempts
    return min(_LONGEST_BACKOFF_MS, doubled)


class Outbox:
    """The unprojected events of one command table."""

    def __init__(self, dynamodb: "DynamoDBClient", table_name: str, clock: Clock) -> None:
        self._dynamodb = dynamodb
        self._table_name = table_name
        self._clock = clock

    def unprojected(self, shard: int, *, most: int) -> list[Unprojected]:
        """Return what the projection owes in one shard (0 to `SHARDS` - 1), those due first.

        Args:
            shard: the shard.
            most: how many events at the most.

        Raises:
            AwsError: DynamoDB did not say, or not all of it.
        """
        keys = self._keys(shard, most)
        return [
            _unprojected(values)
            for first in range(0, len(keys), _READ_AT_ONCE)
            for values in self._read(keys[first : first + _READ_AT_ONCE])
            if "outbox" in values
        ]

    def _keys(self, shard: int, most: int) -> list[Key]:
        pages = self._dynamodb.get_paginator("query").paginate(
            TableName=self._table_name,
            IndexName=INDEX,
            KeyConditionExpression="#outbox = :shard",
            ExpressionAttributeNames={"#outbox": "outbox"},
            ExpressionAttributeValues=to_item({":shard": shard}),
            PaginationConfig={"MaxItems": most, "PageSize": most},
        )
        with sorted_errors(reading=True):
            items = [from_item(item) for page in pages for item in page["Items"]]
        # An event that is put off while the pages are read shows in two places of the index.
        return list(dict.fromkeys((item["pk"], item["sk"]) for item in items))

    def _read(self, keys: list[Key]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        request: Any = {
            self._table_name: {
                "Keys": [to_item({"pk": pk, "sk": sk}) for pk, sk in keys],
                "ConsistentRead": True,
            }
        }
        in_vain = 0
        while True:
            with sorted_errors(reading=True):
                answer = self._dynamodb.batch_get_item(RequestItems=request)
            items = answer["Responses"].get(self._table_name, [])
            found += [from_item(item) for item in items]
            request = answer.get("UnprocessedKeys")
            if not request:
                return found
            in_vain = 0 if items else in_vain + 1
            if in_vain == _MOST_IN_VAIN:
                raise ContendedError("DynamoDB has no room for all of a batch", ambiguous=False)
            pause_ms = self._clock.jittered_ms(in_vain + 1, base_ms=50, longest_ms=2_000)
            self._clock.pause(pause_ms)

    def postpone(self, entry: Unprojected, *, due: int, attempts: int) -> bool:
        """Write when an event is due next and how often it was published, if it is still owed.

        Returns:
            False if the projection acknowledged it meanwhile, or another sweep postponed it.

        Raises:
            AwsError: DynamoDB did not do it; the event may be in a transaction just now.
        """
        pk, sk = entry.key
        try:
            with sorted_errors():
                self._dynamodb.update_item(
                    TableName=self._table_name,
                    Key=to_item({"pk": pk, "sk": sk}),
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
        except RefusedWriteError as refused:
            if refused.failed(0):
                return False
            raise
        return True


def _unprojected(values: dict[str, Any]) -> Unprojected:
    recorded_at = values.get("recorded_at")
    return Unprojected(
        key=(values["pk"], values["sk"]),
        event=from_log(values),
        recorded_at=recorded_at if isinstance(recorded_at, int) else None,
        due=values["due"],
        attempts=values.get("attempts", 0),
    )
