"""What a deployed stack holds: whoever deletes it should have seen that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tidemark.aws.queues import depth

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tidemark.aws.clients import AwsClients

_TABLES = ("CommandTableName", "QueryTableName")
_QUEUES = ("QueueName", "DeadLetterQueueName")


def describe(outputs: Mapping[str, str], clients: AwsClients) -> Iterator[str]:
    """What the tables and queues hold that a stack's outputs name; one not whole names none.

    A table is counted as far as one page of a scan goes (1 MB, and some hundred thousandths of a
    dollar); the count that DescribeTable has is hours old.
    """
    for name in (outputs[key] for key in _TABLES if key in outputs):
        try:
            page = clients.dynamodb.scan(TableName=name, Select="COUNT")
        except clients.dynamodb.exceptions.ResourceNotFoundException:
            continue  # what is gone holds nothing
        least = "at least " if "LastEvaluatedKey" in page else ""
        yield f"{name}: {least}{page['Count']:,} items"
    for name in (outputs[key] for key in _QUEUES if key in outputs):
        try:
            yield f"{name}: {depth(clients, name):,} messages"
        except clients.sqs.exceptions.QueueDoesNotExist:
            continue  # likewise
