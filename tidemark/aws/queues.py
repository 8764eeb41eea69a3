"""Queues: how many messages they hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

    from tidemark.aws.clients import AwsClients


def depth(clients: AwsClients, queue_name: str) -> int:
    """How many messages a queue holds, those in flight included."""
    return depth_at(clients.sqs, clients.sqs.get_queue_url(QueueName=queue_name)["QueueUrl"])


def depth_at(sqs: SQSClient, url: str) -> int:
    """The same of a queue whose URL is known."""
    attributes = sqs.get_queue_attributes(
        QueueUrl=url,
        AttributeNames=[
            "ApproximateNumberOfMessages",
            "ApproximateNumberOfMessagesDelayed",
            "ApproximateNumberOfMessagesNotVisible",
        ],
    )["Attributes"]
    return sum(int(count) for count in attributes.values())
