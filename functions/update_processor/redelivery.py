"""What happens to a delivery whose event could not be applied.

A failure for good goes to the dead-letter queue, with its reason in the log. A failure for now
is delivered again soon; where that could end in the dead-letter queue it is acknowledged
instead, because the outbox still has the event and the sweeper owns it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from functions.adapters.clock import Clock
from functions.adapters.telemetry import Telemetry
from functions.domain.account import Event
from functions.update_processor.deliveries import Delivery
from functions.update_processor.projection import Outcome

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

_LONGEST_PAUSE_MS = 30_000


class UndeliverableError(Exception):
    """A delivery from the topic failed for good: the function's dead-letter queue takes it."""


@dataclass(frozen=True, slots=True)
class Queue:
    """The queue between topic and processor, and after how many receives it gives a message up."""

    sqs: "SQSClient"
    url: str
    max_receive_count: int


class Redelivery:
    """Decides when a delivery that failed comes again, and logs what became of each delivery.

    Without a queue the topic delivers, which tries again by itself.
    """

    def __init__(self, queue: Queue | None, clock: Clock, telemetry: Telemetry) -> None:
        self._queue = queue
        self._clock = clock
        self._telemetry = telemetry

    def failed_for_good(self, delivery: Delivery, event: Event | None, reason: str) -> bool:
        """Fail a delivery that no later try can help; returns False, for it is not processed."""
        self._deliver_again_soon(delivery)
        self.log_record(delivery, event, Outcome.FAILED, reason=reason, left_to="dead-letter queue")
        return False

    def failed_for_now(self, delivery: Delivery, event: Event, reason: str) -> bool:
        """Fail a delivery that a later try may help; True if that try is the sweeper's."""
        to_sweeper = self._queue is None or self._last_receive(delivery, self._queue)
        if not to_sweeper:
            self._deliver_again_soon(delivery)
        left_to = "sweeper" if to_sweeper else "queue"
        self.log_record(delivery, event, Outcome.FAILED, reason=reason, left_to=left_to)
        return to_sweeper

    @staticmethod
    def _last_receive(delivery: Delivery, queue: Queue) -> bool:
        count = delivery.receive_count
        return count is None or count >= queue.max_receive_count

    def _deliver_again_soon(self, delivery: Delivery) -> None:
        """Shorten the wait for the next receive: 1 s, doubling, with jitter.

        The queue's own visibility timeout must outlast the function several times over, which is
        far too long a wait for a conflict, and for poison on its way to the dead-letter queue.
        """
        queue = self._queue
        if queue is None or delivery.receipt_handle is None or delivery.receive_count is None:
            return
        pause_ms = self._clock.jittered_ms(
            delivery.receive_count, base_ms=1_000, longest_ms=_LONGEST_PAUSE_MS
        )
        pause_s = max(1, round(pause_ms / 1000))
        if self._last_receive(delivery, queue):
            pause_s = 0  # the next receive is the dead-letter queue's
        try:
            queue.sqs.change_message_visibility(
                QueueUrl=queue.url,
                ReceiptHandle=delivery.receipt_handle,
                VisibilityTimeout=pause_s,
            )
        except (BotoCoreError, ClientError):
            # Nothing is lost: the message returns when the queue's own timeout ends.
            self._telemetry.logger.warning("visibility not shortened", exc_info=True)

    def log_record(
        self, delivery: Delivery, event: Event | None, outcome: Outcome, **fields: Any
    ) -> None:
        """Write the one line that every processed record leaves."""
        about = (
            {}
            if event is None
            else {
                "event_id": event.event_id,
                "command_id": event.command_id,
                "account_id": event.account_id,
                "version": event.version,
            }
        )
        self._telemetry.logger.info(
            "record",
            extra={
                "message_id": delivery.message_id,
                "receive_count": delivery.receive_count,
                "sent_at": delivery.sent_at,
                **about,
                "outcome": outcome.value,
                **{name: value for name, value in fields.items() if value is not None},
            },
        )


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
