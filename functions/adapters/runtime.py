"""The one place that reads the environment and makes AWS clients.

Clients are made on first use and kept: a warm invocation finds them ready. They know no
endpoint; boto3 reads `AWS_ENDPOINT_URL` where an emulator sets it.
"""

import os
from functools import cache
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient

# Two tries of four seconds end before a function of ten seconds does, so that a caller is told
# instead of being cut off.
_CONFIG = {
    "connect_timeout": 2,
    "read_timeout": 4,
    "retries": {"mode": "standard", "total_max_attempts": 2},
    "tcp_keepalive": True,
}


@cache
def _client(service: Any) -> Any:
    return boto3.client(service, config=Config(**_CONFIG))  # type: ignore[arg-type]


def dynamodb() -> "DynamoDBClient":
    """Return the DynamoDB client of this process."""
    return _client("dynamodb")  # type: ignore[no-any-return]


def sns() -> "SNSClient":
    """Return the SNS client of this process."""
    return _client("sns")  # type: ignore[no-any-return]


def sqs() -> "SQSClient":
    """Return the SQS client of this process."""
    return _client("sqs")  # type: ignore[no-any-return]


def command_table_name() -> str:
    """Return the name of the command table."""
    return os.environ["COMMAND_TABLE_NAME"]


def query_table_name() -> str:
    """Return the name of the query table."""
    return os.environ["QUERY_TABLE_NAME"]


def topic_arn() -> str:
    """Return the ARN of the topic that carries events."""
    return os.environ["TOPIC_ARN"]


def queue_url() -> str:
    """Return the URL of the queue between topic and processor (wiring `queued`)."""
    return os.environ["QUEUE_URL"]


def max_receive_count() -> int:
    """Return after how many receives the queue gives a message to its dead-letter queue."""
    return int(os.environ["MAX_RECEIVE_COUNT"])


def stack_name() -> str:
    """Return the name of the stack, the dimension of every metric."""
    return os.environ["STACK_NAME"]


def trace() -> str | None:
    """Return the X-Ray header of the current invocation, if tracing is on."""
    return os.environ.get("_X_AMZN_TRACE_ID")
