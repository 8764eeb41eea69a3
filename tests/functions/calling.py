"""What Lambda hands to a function, and what the function leaves in the tables."""

from __future__ import annotations

import json
import os
import uuid
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from functions.adapters.clock import Clock
from functions.adapters.items import from_item, to_item
from functions.adapters.runtime import Runtime

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Mapping


class StoppedClock(Clock):
    """A clock that only pauses and the test move on; a pause takes no time."""

    def __init__(self, at_ms: int | None = None) -> None:
        self.at_ms = super().now_ms() if at_ms is None else at_ms
        self.pauses: list[int] = []

    def now_ms(self) -> int:
        return self.at_ms

    def pause(self, duration_ms: int) -> None:
        self.pauses.append(duration_ms)
        self.at_ms += duration_ms


@cache
def aws() -> Runtime:
    """The clients that all tests share."""
    return Runtime()


def parts(
    clock: Clock | None = None, clients: Mapping[str, Any] | None = None, **variables: str
) -> Runtime:
    """What a handler is built from: this clock, and these clients and variables over the shared."""
    own = clients or {}
    return Runtime(
        os.environ | variables,
        clock=clock,
        connect=lambda service, **_: own.get(service) or getattr(aws(), service),
    )


class FailingClient:
    """A client that raises an error in place of its first calls of one operation, or of all."""

    def __init__(
        self, client: Any, operation: str, error: BaseException, times: int | None = None
    ) -> None:
        self._client = client
        self._operation = operation
        self._error = error
        self._times = times
        self.failed = 0

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._client, name)
        return self._failing(call) if name == self._operation else call

    def _failing(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def failing(**parameters: Any) -> Any:
            if self._times is None or self.failed < self._times:
                self.failed += 1
                raise self._error
            return call(**parameters)

        return failing


class WatchedClient:
    """A client that shows each call of one operation to `watch`, which may raise in its place."""

    def __init__(
        self, client: Any, operation: str, watch: Callable[[dict[str, Any]], None]
    ) -> None:
        self._client = client
        self._operation = operation
        self._watch = watch

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._client, name)
        return self._watched(call) if name == self._operation else call

    def _watched(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def watched(**parameters: Any) -> Any:
            self._watch(parameters)
            return call(**parameters)

        return watched


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
    identity: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """An API Gateway proxy event; `identity` is what the gateway says of who signed."""
    return {
        "requestContext": {} if identity is None else {"identity": identity},
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
    answer = aws().dynamodb.query(
        TableName=table,
        ConsistentRead=True,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues=to_item({":pk": pk}),
    )
    return [from_item(item) for item in answer["Items"]]
