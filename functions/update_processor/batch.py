"""The records of one invocation, and which of them belong together."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from functions.adapters.event_codec import Unreadable, from_message
from functions.domain.account import Event
from functions.update_processor.deliveries import Delivery, deliveries
from functions.update_processor.projection import Ending, Progress, Projected
from functions.update_processor.redelivery import Owner


@dataclass(slots=True)
class Record:
    """One delivery and what its body holds; what was done for it, and what became of it."""

    delivery: Delivery
    body: Event | Unreadable
    progress: Progress = field(default_factory=Progress)
    ending: Ending | None = None
    left_to: Owner | None = None

    @property
    def has_failed(self) -> bool:
        """Whether the delivery must fail, because the queue is where its next owner gets it."""
        return self.left_to in (Owner.QUEUE, Owner.DEAD_LETTER_QUEUE)


def batch_of(event: Mapping[str, Any]) -> list[Record]:
    """Return the records in an SQS or SNS event."""
    return [Record(delivery, from_message(delivery.body)) for delivery in deliveries(event)]


def by_account(batch: Iterable[Record]) -> list[list[tuple[Record, Event]]]:
    """Return the records that hold an event, those of one account together, by version.

    In that order they need not be healed of gaps that only the transport made. Accounts come as
    they were delivered: none comes last for having the higher versions.
    """
    accounts: dict[str, list[tuple[Record, Event]]] = {}
    for record in batch:
        if not isinstance(record.body, Unreadable):
            accounts.setdefault(record.body.account_id, []).append((record, record.body))
    return [sorted(records, key=lambda pair: pair[1].version) for records in accounts.values()]


def line_of(record: Record) -> dict[str, Any]:
    """Return what the log says of a record once it is known what became of it."""
    delivery, progress = record.delivery, record.progress
    line: dict[str, Any] = {
        "message_id": delivery.message_id,
        "receive_count": delivery.receive_count,
        "sent_at": delivery.sent_at,
    }
    if not isinstance(record.body, Unreadable):
        line |= {
            "event_id": record.body.event_id,
            "command_id": record.body.command_id,
            "account_id": record.body.account_id,
            "version": record.body.version,
        }
    line |= {
        "healed": progress.healed,
        "attempts": progress.attempts,
        "ambiguous": progress.ambiguous,
    }
    match record.ending:
        case None:
            return line
        case Projected(duplicate=True):
            return line | {"outcome": "duplicate"}
        case Projected():
            return line | {"outcome": "applied", "lag_ms": progress.lags_ms[-1]}
        case failure:
            left_to = record.left_to
            return line | {"outcome": "failed", "reason": failure.reason, "left_to": left_to}
