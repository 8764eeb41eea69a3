"""Queues: how many messages they hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.literals import QueueAttributeNameType

    from tidemark.aws.clients import AwsClients

_COUNTS: Sequence[QueueAttributeNameType] = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesDelayed",
    "ApproximateNumberOfMessagesNotVisible",
)


def depth(clients: AwsClients, queue_name: str) -> int:
    """How many messages a queue holds, those in flight included."""
    return depth_at(clients.sqs, clients.sqs.get_queue_url(QueueName=queue_name)["QueueUrl"])


def depth_at(sqs: SQSClient, url: str) -> int:
    """The same of a queue whose URL is known."""
    return sum(depths_at(sqs, url))


def depths_at(sqs: SQSClient, url: str) -> tuple[int, int]:
    """How many messages wait in a queue, delayed ones included, and how many are in flight."""
    attributes = sqs.get_queue_attributes(
        QueueUrl=url,
        AttributeNames=_COUNTS,
    )["Attributes"]
    visible, delayed, in_flight = (int(attributes.get(name, 0)) for name in _COUNTS)
    return visible + delayed, in_flight
