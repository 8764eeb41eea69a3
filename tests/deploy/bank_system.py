"""A deployed bank that answers as it is told: its API, queues, log, functions and their lines."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from io import BytesIO
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, ClassVar, Self

from tests.workloads.items import event_item
from tidemark.api.exchange import Answer
from tidemark.aws.connection import Connection
from tidemark.aws.logs import FUNCTIONS
from tidemark.host.deployment import Deployment

if TYPE_CHECKING:
    from tidemark.api.exchange import Request

OUTPUTS = {output: name for name, output in FUNCTIONS.items()}
DEPLOYMENT = Deployment(
    target="embedded",
    endpoint="http://127.0.0.1:1",
    region="us-east-1",
    stack_name="Tidemark",
    api_url="http://127.0.0.1:1/api",
    template_digest="0",
    outputs={
        **OUTPUTS,
        "CommandTableName": "commands",
        "QueryTableName": "queries",
        "QueueName": "queue",
        "DeadLetterQueueName": "letters",
        "Wiring": "queued",
    },
)


class ResourceNotFoundError(Exception):
    """No such log group."""


@dataclass
class BankSystem:
    """What a first deposit meets.

    Attributes:
        queued: How many messages the queue holds, one value for each time that it is looked at;
            the last one stays.
        letters: The same for the dead-letter queue.
        fails: What a function that is invoked fails with, by its name.
        logged: The lines of the Update Processor.
        command: What the API answers to a command, in place of doing it.
        query: What it answers to a query.
        asked: The functions that were invoked.
    """

    queued: list[int] = field(default_factory=lambda: [0])
    letters: list[int] = field(default_factory=lambda: [0])
    fails: dict[str, dict[str, str]] = field(default_factory=dict)
    logged: list[dict[str, Any]] = field(default_factory=list)
    command: Answer | None = None
    query: Answer | None = None
    balance: int = 0
    version: int = 0
    asked: list[str] = field(default_factory=list)
    connection: ClassVar = Connection("us-east-1", "http://127.0.0.1:1")
    credentials: ClassVar = None

    # The transport.

    def __call__(self, request: Request) -> Answer:
        if request.method == "GET":
            return self.query or _json(200, balance=self.balance, version=self.version)
        if self.command is not None:
            return self.command
        self.version += 1
        self.balance += json.loads(request.body).get("amount", 0)
        return _json(202, account_id="a", version=self.version, event_id="e")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...

    # The AWS clients.

    @property
    def functions(self) -> Any:
        def invoke(*, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: ARG001, N803 -- boto3's
            self.asked.append(FunctionName)
            error = self.fails.get(FunctionName)
            body = {"Payload": BytesIO(json.dumps(error or {}).encode())}
            return body if error is None else {**body, "FunctionError": "Unhandled"}

        return SimpleNamespace(invoke=invoke, get_function_configuration=lambda **_: {})

    @property
    def sqs(self) -> Any:
        def attributes(*, QueueUrl: str, AttributeNames: list[str]) -> dict[str, Any]:  # noqa: N803 -- boto3's
            counts = {"queue": self.queued, "letters": self.letters}[QueueUrl]
            count = counts.pop(0) if len(counts) > 1 else counts[0]
            others = dict.fromkeys(AttributeNames, "0")
            return {"Attributes": others | {"ApproximateNumberOfMessages": str(count)}}

        return SimpleNamespace(
            get_queue_url=lambda QueueName: {"QueueUrl": QueueName},  # noqa: N803 -- boto3's
            get_queue_attributes=attributes,
        )

    @property
    def dynamodb(self) -> Any:
        item = event_item(recorded_at_ms=1000, projected_at_ms=1042)
        return SimpleNamespace(
            get_item=lambda **_: {"Item": item},
            get_paginator=lambda _: SimpleNamespace(paginate=lambda **_: [{"Items": []}]),
        )

    @property
    def logs(self) -> Any:
        events = [{"timestamp": 1, "message": json.dumps(line)} for line in self.logged]
        return SimpleNamespace(
            get_paginator=lambda _: SimpleNamespace(paginate=lambda **_: [{"events": events}]),
            exceptions=SimpleNamespace(ResourceNotFoundException=ResourceNotFoundError),
        )


def _json(status: int, **members: Any) -> Answer:
    return Answer(status, body=json.dumps(members).encode())
