"""Who takes a delivery whose event could not be applied, and when it comes again.

A failure for good goes to the dead-letter queue, with its reason in the log. A failure for now
is delivered again soon; where that could end in the dead-letter queue it is acknowledged
instead, because the outbox still has the event and the sweeper owns it. What the log itself
blocks is left to the sweeper at once: no delivery of the next minute would fare better.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from functions.adapters.aws_errors import AwsError, sorted_errors
from functions.adapters.clock import Clock
from functions.adapters.telemetry import Telemetry
from functions.update_processor.deliveries import Delivery
from functions.update_processor.projection import (
    Blocked,
    Ending,
    FailedForGood,
    FailedForNow,
    Projected,
)

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

_LONGEST_PAUSE_MS = 30_000


class Owner(StrEnum):
    """Who has the event from now on, if the read model does not."""

    QUEUE = "queue"
    DEAD_LETTER_QUEUE = "dead-letter queue"
    SWEEPER = "sweeper"


class UndeliverableError(Exception):
    """A delivery from the topic failed for good: the function's dead-letter queue takes it."""


@dataclass(frozen=True, slots=True)
class Queue:
    """The queue between topic and processor, and after how many receives it gives a message up."""

    sqs: "SQSClient"
    url: str
    max_receive_count: int


class Redelivery:
    """Decides who takes a failed delivery, and when.

    Without a queue the topic delivers, which tells nothing about earlier tries.
    """

    def __init__(self, queue: Queue | None, clock: Clock, telemetry: Telemetry) -> None:
        self._queue = queue
        self._clock = clock
        self._telemetry = telemetry

    def left_to(self, delivery: Delivery, ending: Ending) -> Owner | None:
        """Return who takes a delivery that ended so; None if the read model has its event."""
        match ending:
            case Projected():
                return None
            case FailedForGood():
                return Owner.DEAD_LETTER_QUEUE
            case Blocked():
                return Owner.SWEEPER
            case FailedForNow():
                return Owner.SWEEPER if self._is_last_receive(delivery) else Owner.QUEUE

    def _is_last_receive(self, delivery: Delivery) -> bool:
        if self._queue is None or delivery.receive_count is None:
            return True
        return delivery.receive_count >= self._queue.max_receive_count

    def deliver_again_soon(self, failed: Sequence[Delivery]) -> None:
        """Shorten the wait for the next receive: 1 s, doubling, with jitter.

        The queue's own visibility timeout must outlast the function several times over, which is
        far too long a wait for a conflict, and for poison on its way to the dead-letter queue.
        """
        for delivery in failed:
            if self._queue is None or delivery.receipt_handle is None:
                continue
            try:
                with sorted_errors():
                    self._queue.sqs.change_message_visibility(
                        QueueUrl=self._queue.url,
                        ReceiptHandle=delivery.receipt_handle,
                        VisibilityTimeout=self._pause_s(delivery),
                    )
            except AwsError:
                # Nothing is lost: the message returns when the queue's own timeout ends.
                self._telemetry.logger.warning("visibility not shortened", exc_info=True)

    def _pause_s(self, delivery: Delivery) -> int:
        if self._is_last_receive(delivery):
            return 0  # the next receive is the dead-letter queue's
        pause_ms = self._clock.jittered_ms(
            delivery.receive_count or 1, base_ms=1_000, longest_ms=_LONGEST_PAUSE_MS
        )
        return max(1, round(pause_ms / 1000))


def report(failed: Sequence[Delivery]) -> dict[str, Any]:
    """Tell Lambda which deliveries failed.

    Returns:
        The batch item failures, for deliveries from the queue.

    Raises:
        UndeliverableError: a delivery came from the topic, which knows only all or nothing.
    """
    for delivery in failed:
        if delivery.receipt_handle is None:
            raise UndeliverableError(f"message {delivery.message_id} cannot be projected")
    return {"batchItemFailures": [{"itemIdentifier": delivery.message_id} for delivery in failed]}
