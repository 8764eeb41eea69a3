"""The dead letters, looked at and left where they are."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tidemark.trace.lines import is_named

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

MOST_LETTERS = 1_000
_AT_ONCE = 10
# How long the letters are hidden while the queue is walked, should giving them back fail.
_HIDDEN_S = 15


@dataclass(frozen=True, slots=True)
class Letter:
    """One dead letter.

    Attributes:
        message_id: The message's id; its deliveries were logged under it.
        receive_count: How often the dead-letter queue handed it out, this look included.
        sent_at_ms: When the message was sent, UTC milliseconds; ``None`` if not known.
        text: The message.
        event: The event it says it carries, as far as it can be read.
        reason: Why it is here, where Lambda said so.
    """

    message_id: str
    receive_count: int
    sent_at_ms: int | None
    text: str = ""
    event: Mapping[str, Any] = field(default_factory=dict)
    reason: str | None = None

    def names(self, wanted_id: str) -> bool:
        """Whether it names an id as command, event, account or message."""
        return wanted_id == self.message_id or any(
            is_named(self.event, name, wanted_id)
            for name in ("command_id", "event_id", "account_id")
        )


def peek(sqs: SQSClient, queue_name: str) -> tuple[list[Letter], bool]:
    """Look at the dead letters, and leave all of them where they are.

    Returns:
        The letters, and whether these are all: no more than `MOST_LETTERS` messages are looked at.
    """
    with held(sqs, sqs.get_queue_url(QueueName=queue_name)["QueueUrl"]) as (messages, are_all):
        return [letter for message in messages for letter in read(message)], are_all


@contextmanager
def held(sqs: SQSClient, url: str) -> Iterator[tuple[list[MessageTypeDef], bool]]:
    """Hold the messages of a dead-letter queue, at most `MOST_LETTERS`, for as long as this lasts.

    SQS knows no look without a receive: the messages are hidden for a moment, and their receive
    counts rise, on which nothing acts there. Those that are not deleted meanwhile are visible
    again at once.

    Yields:
        The messages, and whether the queue had no others to give.
    """
    received: dict[str, MessageTypeDef] = {}
    are_all = False
    try:
        while len(received) < MOST_LETTERS and not are_all:
            known = len(received)
            messages = _receive(sqs, url)
            received |= {message["MessageId"]: message for message in messages}
            are_all = not messages
            if messages and len(received) == known:  # a queue that hides nothing never ends
                break
        yield list(received.values()), are_all
    finally:
        handles = [message["ReceiptHandle"] for message in received.values()]
        for start in range(0, len(handles), _AT_ONCE):
            sqs.change_message_visibility_batch(
                QueueUrl=url,
                Entries=[
                    {"Id": str(number), "ReceiptHandle": handle, "VisibilityTimeout": 0}
                    for number, handle in enumerate(handles[start : start + _AT_ONCE])
                ],
            )


def _receive(sqs: SQSClient, url: str) -> list[MessageTypeDef]:
    return sqs.receive_message(
        QueueUrl=url,
        MaxNumberOfMessages=_AT_ONCE,
        VisibilityTimeout=_HIDDEN_S,
        # Long enough to be asked of every part of a queue; a short poll asks only some.
        WaitTimeSeconds=1,
        MessageSystemAttributeNames=["ApproximateReceiveCount", "SentTimestamp"],
        MessageAttributeNames=["All"],
    ).get("Messages", [])


def read(message: MessageTypeDef) -> list[Letter]:
    """The letters in one message of the dead-letter queue: one, whichever queue it came from.

    A queue's dead letter is the message itself. A function's is the whole event it was invoked
    with, which for a topic has one or more records.
    """
    attributes = message.get("Attributes", {})
    said = message.get("MessageAttributes", {})
    error = said["ErrorMessage"].get("StringValue") if "ErrorMessage" in said else None
    sent = attributes.get("SentTimestamp")
    body = object_in(message["Body"])
    carried = [
        (record["Sns"].get("MessageId"), record["Sns"].get("Message", ""))
        for record in body.get("Records", [])
        if isinstance(record, dict) and isinstance(record.get("Sns"), dict)
    ] or [(None, message["Body"])]
    return [
        Letter(
            message_id=message_id or message["MessageId"],
            receive_count=int(attributes.get("ApproximateReceiveCount", "1")),
            sent_at_ms=None if sent is None else int(sent),
            text=text,
            event=object_in(text),
            reason=error,
        )
        for message_id, text in carried
    ]


def row_of(letter: Letter, *, is_read: bool) -> dict[str, Any]:
    """A letter as a row of a run's history.

    Args:
        letter: The letter.
        is_read: Whether who was given the message could read what it is about.
    """
    event = letter.event if is_read else {}
    event_id, account_id = names_in(event)
    version = event.get("version")
    return {
        "message_id": letter.message_id,
        "event_id": event_id,
        "aggregate": account_id,
        "version": version if type(version) is int else None,
        "receive_count": letter.receive_count,
    }


def names_in(event: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """The event and the account that a message says it is about, as far as they can be read."""
    event_id, account_id = (event.get(name) for name in ("event_id", "account_id"))
    return (
        event_id if isinstance(event_id, str) else None,
        account_id if isinstance(account_id, str) else None,
    )


def object_in(text: str) -> dict[str, Any]:
    """The JSON object that a text is; an empty one if it is none."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
