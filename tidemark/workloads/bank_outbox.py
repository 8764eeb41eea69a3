"""The outbox, measured: the events that are not projected yet."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tidemark.workloads.bank_items import OUTBOX_INDEX, STUCK_ATTEMPTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tidemark.aws.clients import AwsClients
    from tidemark.host.deployment import Deployment

_MOST_KEYS_PER_READ = 100


@dataclass(frozen=True, slots=True)
class Outbox:
    """The events that are not projected yet.

    Attributes:
        size: How many there are, the stuck ones included.
        oldest_age_s: How long ago the oldest was recorded; 0 when there is none.
        stuck: How many of them ten copies did not bring into the read model.
    """

    size: int
    oldest_age_s: float
    stuck: int


def outbox_of(deployment: Deployment, clients: AwsClients) -> Outbox:
    """Measure the outbox.

    The index lists keys and may lag; each event is then read consistently, and one that is
    projected by now does not count.
    """
    table = deployment.outputs["CommandTableName"]
    # An event that is put off while the index is read shows in two places of it.
    keys = {
        (item["pk"]["S"], item["sk"]["S"]): {"pk": item["pk"], "sk": item["sk"]}
        for page in clients.dynamodb.get_paginator("scan").paginate(
            TableName=table, IndexName=OUTBOX_INDEX
        )
        for item in page["Items"]
    }
    now_ms = time.time() * 1000
    waiting = [one for one in _events(clients, table, [*keys.values()]) if "outbox" in one]
    ages_ms = [now_ms - int(one["recorded_at"]["N"]) for one in waiting]
    return Outbox(
        size=len(waiting),
        oldest_age_s=round(max(0.0, *ages_ms) / 1000, 3) if ages_ms else 0.0,
        stuck=sum(int(one.get("attempts", {}).get("N", "0")) >= STUCK_ATTEMPTS for one in waiting),
    )


def outbox_size(deployment: Deployment, clients: AwsClients) -> int:
    """How many events the index lists on its first page, of at most 1 MiB: one cheap call."""
    table = deployment.outputs["CommandTableName"]
    return clients.dynamodb.scan(TableName=table, IndexName=OUTBOX_INDEX, Select="COUNT")["Count"]


def _events(
    clients: AwsClients, table: str, keys: Sequence[Mapping[str, Any]]
) -> Iterator[Mapping[str, Any]]:
    for start in range(0, len(keys), _MOST_KEYS_PER_READ):
        asked: Mapping[str, Any] = {
            table: {
                "Keys": keys[start : start + _MOST_KEYS_PER_READ],
                "ConsistentRead": True,
                "ProjectionExpression": "#outbox, #recorded_at, #attempts",
                "ExpressionAttributeNames": {
                    "#outbox": "outbox",
                    "#recorded_at": "recorded_at",
                    "#attempts": "attempts",
                },
            }
        }
        while asked:
            answer = clients.dynamodb.batch_get_item(RequestItems=asked)
            yield from answer["Responses"].get(table, [])
            asked = answer.get("UnprocessedKeys", {})
