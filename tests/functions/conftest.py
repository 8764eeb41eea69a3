"""The functions as Lambda calls them, against the embedded target's DynamoDB, SNS and SQS."""

from __future__ import annotations

import json
import uuid
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from tests.functions.calling import Calls, aws
from tidemark.aws.connection import variables
from tidemark.targets.base import TargetOptions
from tidemark.targets.embedded import EmbeddedTarget

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tidemark.aws.connection import Connection

QUEUE = "events"
TOPIC = "facts"


@pytest.fixture(scope="session")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    target = EmbeddedTarget(TargetOptions(state=tmp_path_factory.mktemp("state")))
    connection = target.start()
    yield connection
    target.stop()


@pytest.fixture(scope="session")
def environment(embedded: Connection) -> Iterator[pytest.MonkeyPatch]:
    """What the stack would tell the functions, for the whole session."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {
            **variables(embedded),
            "COMMAND_TABLE_NAME": "commands",
            "QUERY_TABLE_NAME": "queries",
            "MAX_RECEIVE_COUNT": "5",
            "STACK_NAME": "Test",
            "POWERTOOLS_SERVICE_NAME": "test",
            "POWERTOOLS_METRICS_NAMESPACE": "Tidemark",
        }.items():
            patch.setenv(name, value)
        _create_tables()
        topic_arn = aws().sns.create_topic(Name=TOPIC)["TopicArn"]
        patch.setenv("TOPIC_ARN", topic_arn)
        patch.setenv("QUEUE_URL", aws().sqs.create_queue(QueueName=QUEUE)["QueueUrl"])
        aws().sns.subscribe(
            TopicArn=topic_arn,
            Protocol="sqs",
            Endpoint=f"arn:aws:sqs:{embedded.region}:{embedded.account}:{QUEUE}",
            Attributes={"RawMessageDelivery": "true"},
        )
        yield patch


@pytest.fixture(autouse=True)
def _environment(environment: pytest.MonkeyPatch) -> None:
    """Every test here runs in that environment."""


def _create_tables() -> None:
    keys: Any = [
        {"AttributeName": "pk", "KeyType": "HASH"},
        {"AttributeName": "sk", "KeyType": "RANGE"},
    ]
    for table, index, hash_key, range_key in (
        ("commands", "outbox", ("outbox", "N"), ("due", "N")),
        ("queries", "by_owner", ("owner_key", "S"), ("account_id", "S")),
    ):
        types = [("pk", "S"), ("sk", "S"), hash_key, range_key]
        attributes: Any = [{"AttributeName": name, "AttributeType": kind} for name, kind in types]
        keys_only = table == "commands"
        projection: Any = {"ProjectionType": "KEYS_ONLY" if keys_only else "ALL"}
        aws().dynamodb.create_table(
            TableName=table,
            KeySchema=keys,
            AttributeDefinitions=attributes,
            BillingMode="PAY_PER_REQUEST",
            GlobalSecondaryIndexes=[
                {
                    "IndexName": index,
                    "KeySchema": [
                        {"AttributeName": hash_key[0], "KeyType": "HASH"},
                        {"AttributeName": range_key[0], "KeyType": "RANGE"},
                    ],
                    "Projection": projection,
                }
            ],
        )


@pytest.fixture
def unique() -> str:
    """A word that no other test uses in its ids."""
    return uuid.uuid4().hex[:12]


@pytest.fixture
def calls() -> Iterator[Calls]:
    """Counts every AWS call that the functions make."""
    seen = Calls(Counter())

    def count(model: Any, **_: Any) -> None:
        seen.made[model.name] += 1

    clients: list[Any] = [aws().dynamodb, aws().sns, aws().sqs]
    for client in clients:
        client.meta.events.register("before-call", count)
    yield seen
    for client in clients:
        client.meta.events.unregister("before-call", count)


@pytest.fixture
def printed(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    unique: str,
) -> Callable[[], list[dict[str, Any]]]:
    """Returns the JSON lines that the functions printed since it was last asked.

    A logger keeps the stream it began with, so the test gets a logger of its own.
    """
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", f"service-{unique}")

    def lines() -> list[dict[str, Any]]:
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return lines
