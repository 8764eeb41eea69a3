"""Deliveries: how messages arrive, through the queue (wiring `queued`) or from the topic itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Delivery:
    """One delivery of one message.

    `receive_count` counts from 1; the topic does not tell, so there it is None. `receipt_handle`
    is the queue's name for this delivery, and `sent_at` when the queue had the message (UTC ms);
    both are None where there is no queue.
    """

    message_id: str
    body: str
    receive_count: int | None = None
    receipt_handle: str | None = None
    sent_at: int | None = None


def deliveries(event: Mapping[str, Any]) -> list[Delivery]:
    """Return the deliveries in an SQS or SNS event."""
    return [
        _from_topic(record) if "Sns" in record else _from_queue(record)
        for record in event["Records"]
    ]


def _from_topic(record: Mapping[str, Any]) -> Delivery:
    return Delivery(message_id=record["Sns"]["MessageId"], body=record["Sns"]["Message"])


def _from_queue(record: Mapping[str, Any]) -> Delivery:
    attributes = record["attributes"]
    sent_at = attributes.get("SentTimestamp")
    return Delivery(
        message_id=record["messageId"],
        body=record["body"],
        receive_count=int(attributes["ApproximateReceiveCount"]),
        receipt_handle=record["receiptHandle"],
        sent_at=None if sent_at is None else int(sent_at),
    )
