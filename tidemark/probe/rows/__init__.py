"""All rows, topic by topic."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tidemark.probe.rows import dynamodb_transactions, event_source, invocation

if TYPE_CHECKING:
    from tidemark.probe.row import Row

_TOPICS = (
    invocation.topic,
    event_source.topic,
    dynamodb_transactions.topic,
)
ROWS: tuple[Row, ...] = tuple(row for topic in _TOPICS for row in topic.rows)
