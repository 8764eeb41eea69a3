"""Messages as the topic carries them, sent to the queue once more, or forged."""

from __future__ import annotations

import json
import random
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from tidemark.faults.plan import DUPLICATE, planned
from tidemark.trace.letters import names_in, object_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mypy_boto3_sqs import SQSClient

    from tidemark.aws.clients import AwsClients
    from tidemark.faults.plan import Fault, History
    from tidemark.host.deployment import Deployment
    from tidemark.workloads.bank_items import Event

_AT_ONCE = 10


def message(account_id: str, event: Event, **changes: Any) -> str:
    """The message of an event of the log, or one that differs from it.

    Args:
        account_id: The account that the event is of.
        event: The event.
        changes: Members that differ.
    """
    said = {
        "schema": 1,
        "event_id": event.key.event_id,
        "type": event.type,
        "account_id": account_id,
        "owner_id": event.owner_id,
        "version": event.key.version,
        "recorded_at": event.recorded_at_ms,
        "command_id": event.command_id,
        "data": event.data,
    }
    return json.dumps(said | changes)


def unknown_id() -> str:
    """An event id that no log has."""
    return str(uuid.uuid4())


@dataclass(frozen=True)
class Queue:
    """The queue between topic and Update Processor."""

    sqs: SQSClient
    url: str

    @classmethod
    def of(cls, deployment: Deployment, aws: AwsClients) -> Self:
        """The queue of a deployment whose wiring has one."""
        answer = aws.sqs.get_queue_url(QueueName=deployment.outputs["QueueName"])
        return cls(aws.sqs, answer["QueueUrl"])

    def send(self, fault: Fault, *bodies: str) -> list[str]:
        """Send messages, in this order, each a strike of a fault; returns their ids.

        Nothing undoes that: a message ends by being handled, or in the dead-letter queue.
        """
        sent: list[str] = []
        for start in range(0, len(bodies), _AT_ONCE):
            entries = [
                {"Id": str(number), "MessageBody": body}
                for number, body in enumerate(bodies[start : start + _AT_ONCE])
            ]
            answer = self.sqs.send_message_batch(QueueUrl=self.url, Entries=entries)  # type: ignore[arg-type]  # a TypedDict of these keys
            by_entry = {one["Id"]: one["MessageId"] for one in answer["Successful"]}
            sent += [by_entry[entry["Id"]] for entry in entries]
        for body, message_id in zip(bodies, sent, strict=True):
            event_id, account_id = names_in(object_in(body))
            fault.strike(message_id=message_id, event_id=event_id, aggregate=account_id)
        return sent


@contextmanager
def delivered_again(
    queue: Queue, bodies: Sequence[str], history: History | None, *, fault: str = DUPLICATE
) -> Iterator[list[str]]:
    """Send messages to the queue in this order; the block must wait until they are processed.

    Args:
        queue: The queue.
        bodies: The messages.
        history: The run that it is written into, if any is.
        fault: What that is: duplicates, or messages in another order.

    Yields:
        The ids of the messages.
    """
    with planned(history, fault, times=len(bodies)) as going_on:
        yield queue.send(going_on, *bodies)


def duplicated(bodies: Sequence[str], *, times: int, seed: int) -> list[str]:
    """Each message so many times, in an order that the seed repeats."""
    return reordered([body for body in bodies for _ in range(times)], seed=seed)


def reordered(bodies: Sequence[str], *, seed: int) -> list[str]:
    """The messages in another order, which the seed repeats."""
    return random.Random(seed).sample(bodies, len(bodies))  # noqa: S311 -- a seeded order, no secret
