"""What Lambda hands to a function, and what the function leaves in the tables."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from functions.adapters import runtime
from functions.adapters.items import from_item, to_item

if TYPE_CHECKING:
    from collections import Counter


@dataclass
class LambdaContext:
    """An invocation with some time left, in milliseconds."""

    remaining_ms: int = 10_000
    aws_request_id: str = field(default_factory=lambda: str(uuid.uuid4()))

    def get_remaining_time_in_millis(self) -> int:
        return self.remaining_ms


@dataclass
class Calls:
    """The AWS calls that were made, by operation, and faults to raise instead of making them."""

    made: Counter[str]

    def reset(self) -> None:
        self.made.clear()


def proxy_event(
    method: str,
    resource: str,
    *,
    path: dict[str, str] | None = None,
    query: dict[str, str] | None = None,
    headers: dict[str, str] | None = None,
    body: Any = None,
) -> dict[str, Any]:
    """An API Gateway proxy event."""
    return {
        "httpMethod": method,
        "resource": resource,
        "pathParameters": path,
        "queryStringParameters": query,
        "headers": headers,
        "body": body if body is None or isinstance(body, str) else json.dumps(body),
        "isBase64Encoded": False,
    }


def command_table_items(account_id: str) -> list[dict[str, Any]]:
    """Everything the command table has of an account, in key order."""
    return _partition("commands", f"account#{account_id}")


def query_table_items(partition: str) -> list[dict[str, Any]]:
    """Everything the query table has in a partition, in key order."""
    return _partition("queries", f"g1#{partition}")


def _partition(table: str, pk: str) -> list[dict[str, Any]]:
    answer = runtime.dynamodb().query(
        TableName=table,
        ConsistentRead=True,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues=to_item({":pk": pk}),
    )
    return [from_item(item) for item in answer["Items"]]
