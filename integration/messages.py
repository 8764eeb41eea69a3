"""Messages as the topic carries them, sent to the queue by a test, and where they end."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from tidemark.host.waiting import eventually
from tidemark.trace.letters import held

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from mypy_boto3_sqs import SQSClient

    from integration.tables import Row
    from tidemark.aws.clients import AwsClients
    from tidemark.host.deployment import Deployment

# Five receives: 1, 2, 4 and 8 seconds between them, and what a poller adds.
DEAD_WITHIN_S = 75.0


def message(account_id: str, event: Row, **changes: Any) -> str:
    """The message of an event of the log, or one that differs from it."""
    said = {
        "schema": 1,
        "event_id": event["event_id"],
        "type": event["type"],
        "account_id": account_id,
        "owner_id": event["owner_id"],
        "version": int(event["sk"].removeprefix("event#")),
        "recorded_at": event["recorded_at"],
        "command_id": event["command_id"],
        "data": event["data"],
    }
    return json.dumps(said | changes)


def url_of(sqs: SQSClient, queue_name: str) -> str:
    return sqs.get_queue_url(QueueName=queue_name)["QueueUrl"]


@dataclass(frozen=True)
class Queue:
    """The queue between topic and Update Processor."""

    sqs: SQSClient
    url: str

    @classmethod
    def of(cls, deployment: Deployment, aws: AwsClients) -> Self:
        return cls(aws.sqs, url_of(aws.sqs, deployment.outputs["QueueName"]))

    def send(self, *bodies: str) -> list[str]:
        """Send messages, in this order; returns their ids."""
        sent: list[str] = []
        for start in range(0, len(bodies), 10):
            entries = [
                {"Id": str(number), "MessageBody": body}
                for number, body in enumerate(bodies[start : start + 10])
            ]
            answer = self.sqs.send_message_batch(QueueUrl=self.url, Entries=entries)  # type: ignore[arg-type]  # a TypedDict of these keys
            assert not answer.get("Failed")
            by_entry = {one["Id"]: one["MessageId"] for one in answer["Successful"]}
            sent += [by_entry[entry["Id"]] for entry in entries]
        return sent


@dataclass(frozen=True)
class DeadLetters:
    """The dead-letter queue, out of which a test takes its own letters and nobody else's.

    Attributes:
        sqs: The client.
        url: The queue.
        read: Finds the message in a letter's body.
    """

    sqs: SQSClient
    url: str
    read: Callable[[str], str] = str
    _taken: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(
        cls, deployment: Deployment, aws: AwsClients, *, read: Callable[[str], str] = str
    ) -> Self:
        return cls(aws.sqs, url_of(aws.sqs, deployment.outputs["DeadLetterQueueName"]), read)

    def take(self, wanted: Collection[str]) -> list[str]:
        """Take the letters with one of these messages; returns them with those taken before."""
        with held(self.sqs, self.url) as letters:
            for letter in letters:
                body = self.read(letter["Body"])
                if body in wanted:
                    self.sqs.delete_message(
                        QueueUrl=self.url, ReceiptHandle=letter["ReceiptHandle"]
                    )
                    self._taken[letter["MessageId"]] = body
        return [one for one in self._taken.values() if one in wanted]

    def await_bodies(self, wanted: list[str]) -> None:
        """Wait until each of these messages is here."""
        assert wanted

        def probe() -> None:
            missing = set(wanted) - set(self.take(wanted))
            assert not missing, f"{len(missing)} of {len(wanted)} missing: {sorted(missing)}"

        eventually(probe, within_s=DEAD_WITHIN_S, what=f"{len(wanted)} dead letters")


def unknown_id() -> str:
    """An event id that no log has."""
    return str(uuid.uuid4())
