"""All rows, topic by topic."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tidemark.probe.rows import (
    access,
    concurrency,
    deployed,
    dynamodb_tables,
    dynamodb_transactions,
    event_source,
    gateway,
    logs,
    metrics,
    queues,
    retries,
    schedules,
)

if TYPE_CHECKING:
    from tidemark.probe.row import Row

_TOPICS = (
    gateway.topic,
    access.topic,
    retries.topic,
    event_source.topic,
    queues.topic,
    dynamodb_transactions.topic,
    dynamodb_tables.topic,
    schedules.topic,
    metrics.topic,
    logs.topic,
    concurrency.topic,
    deployed.topic,
)
ROWS: tuple[Row, ...] = tuple(row for topic in _TOPICS for row in topic.rows)
