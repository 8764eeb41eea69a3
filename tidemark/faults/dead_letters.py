"""Where poison ends: the dead-letter queue, out of which each takes what it sent itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from tidemark.host.waiting import eventually
from tidemark.trace.letters import held, read

if TYPE_CHECKING:
    from collections.abc import Collection

    from mypy_boto3_sqs import SQSClient

    from tidemark.aws.clients import AwsClients
    from tidemark.faults.plan import History

# Five receives: 1, 2, 4 and 8 seconds between them, and what a poller adds.
DEAD_WITHIN_S = 75.0


@dataclass(frozen=True)
class DeadLetters:
    """A dead-letter queue, for somebody who knows what is his: nobody else's is touched.

    Attributes:
        sqs: The client.
        url: The queue.
        history: The run that a letter is written into when it is taken, if any is.
    """

    sqs: SQSClient
    url: str
    history: History | None = None
    _taken: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, aws: AwsClients, queue_name: str, history: History | None = None) -> Self:
        """The queue of that name."""
        return cls(aws.sqs, aws.sqs.get_queue_url(QueueName=queue_name)["QueueUrl"], history)

    def take(self, wanted: Collection[str]) -> list[str]:
        """Take the letters of these messages; returns those messages, and those taken before."""
        with held(self.sqs, self.url) as (messages, _):
            for message in messages:
                for letter in read(message):
                    if letter.text in wanted:
                        handle = message["ReceiptHandle"]
                        self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=handle)
                        self._taken[message["MessageId"]] = letter.text
                        if self.history is not None:
                            self.history.note_letter(letter)
        return [one for one in self._taken.values() if one in wanted]

    def await_bodies(self, wanted: Collection[str]) -> None:
        """Wait until the letter of each of these messages was taken.

        Raises:
            NotSeenError: One did not come.
        """

        def probe() -> None:
            missing = set(wanted) - set(self.take(wanted))
            if missing:
                raise AssertionError(f"{len(missing)} of {len(wanted)} missing: {sorted(missing)}")

        eventually(probe, within_s=DEAD_WITHIN_S, what=f"{len(wanted)} dead letters")
