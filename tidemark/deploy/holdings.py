"""What a deployed stack holds: whoever deletes it should have seen that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tidemark.aws.queues import depth

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tidemark.aws.clients import AwsClients

_TABLES = ("CommandTableName", "QueryTableName")
_QUEUES = ("QueueName", "DeadLetterQueueName")


@dataclass(frozen=True, slots=True)
class Holding:
    """What one table or queue holds.

    Attributes:
        name: Its physical name.
        what: Items or messages.
        count: How many, or how many at least.
        is_exact: Whether all were counted.
    """

    name: str
    what: str
    count: int
    is_exact: bool = True

    def __str__(self) -> str:
        least = "" if self.is_exact else "at least "
        return f"{self.name}: {least}{self.count:,} {self.what}"


def of(outputs: Mapping[str, str], clients: AwsClients) -> Iterator[Holding]:
    """What the tables and queues hold that a stack's outputs name; one not whole names none.

    A table is counted as far as one page of a scan goes (1 MB, and some hundred thousandths of a
    dollar); the count that DescribeTable has is hours old.
    """
    for name in _named(_TABLES, outputs):
        try:
            page = clients.dynamodb.scan(TableName=name, Select="COUNT")
        except clients.dynamodb.exceptions.ResourceNotFoundException:
            continue  # what is gone holds nothing
        yield Holding(name, "items", page["Count"], "LastEvaluatedKey" not in page)
    for name in _named(_QUEUES, outputs):
        try:
            yield Holding(name, "messages", depth(clients, name))
        except clients.sqs.exceptions.QueueDoesNotExist:
            continue  # likewise


def _named(keys: Iterable[str], outputs: Mapping[str, str]) -> Iterator[str]:
    return (outputs[key] for key in keys if key in outputs)
