"""The Update Processor: parse, project, acknowledge, and report what failed."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from botocore.exceptions import BotoCoreError, ClientError

from functions.adapters import runtime
from functions.adapters.budget import Budget, Invocation
from functions.adapters.clock import Clock
from functions.adapters.command_store import CommandStore
from functions.adapters.event_codec import UnreadableEventError, from_message
from functions.adapters.projection_store import ProjectionStore, UnknownEventError
from functions.adapters.telemetry import Telemetry
from functions.domain.account import Event
from functions.update_processor.deliveries import Delivery, deliveries
from functions.update_processor.projection import NoTimeLeftError, Outcome, project
from functions.update_processor.redelivery import Queue, Redelivery, report

_SPARE_MS = 1_500
"""What is kept of the function's time to report failures in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment(runtime.Environment):
    """What the stack tells the Update Processor; of the queue only where there is one."""

    command_table_name: str
    query_table_name: str
    queue_url: str | None = None
    max_receive_count: int | None = None


class UpdateProcessor:
    """Applies events to the read model."""

    def __init__(
        self,
        *,
        store: ProjectionStore,
        log: CommandStore,
        queue: Queue | None,
        clock: Clock,
        budget: Budget,
        telemetry: Telemetry,
    ) -> None:
        self._store = store
        self._log = log
        self._redelivery = Redelivery(queue, clock, telemetry)
        self._clock = clock
        self._budget = budget
        self._telemetry = telemetry

    def handle(self, event: dict[str, Any], context: Invocation) -> dict[str, Any]:
        """Apply the events in an SQS or SNS event, each by itself.

        Returns:
            The batch item failures: the queue delivers those again, and only those.

        Raises:
            redelivery.UndeliverableError: a delivery from the topic can never succeed.
        """
        self._budget.begin(context, spare_ms=_SPARE_MS)
        batch = deliveries(event)
        failed = [
            delivery
            for delivery, parsed in _in_order(batch)
            if not self._processed(delivery, parsed)
        ]
        self._telemetry.count(RecordsFailed=len(failed))
        self._telemetry.log_invocation(context, "processed", records=len(batch), failed=len(failed))
        self._telemetry.flush_metrics()
        return report(failed)

    def _processed(self, delivery: Delivery, parsed: Event | str) -> bool:
        """Project one delivery and log what became of it; False if it is to be delivered again."""
        if isinstance(parsed, str):
            return self._redelivery.failed_for_good(delivery, None, parsed)
        try:
            projected = project(
                parsed, store=self._store, log=self._log, clock=self._clock, budget=self._budget
            )
        except UnknownEventError as error:
            return self._redelivery.failed_for_good(delivery, parsed, str(error))
        except (NoTimeLeftError, BotoCoreError, ClientError) as error:
            return self._redelivery.failed_for_now(delivery, parsed, str(error))
        except Exception as error:  # one record must not fail its batch; the queue keeps it
            self._telemetry.logger.exception("unexpected failure")
            return self._redelivery.failed_for_good(delivery, parsed, repr(error))
        applied = projected.outcome is Outcome.APPLIED
        self._telemetry.count(
            EventsApplied=int(applied),
            Duplicates=int(not applied),
            GapsHealed=len(projected.healed),
        )
        if applied:
            self._telemetry.measure(MetricUnit.Milliseconds, {"ProjectionLag": projected.lag_ms})
        self._redelivery.log_record(
            delivery,
            parsed,
            projected.outcome,
            healed=list(projected.healed),
            attempts=projected.attempts,
            lag_ms=projected.lag_ms if applied else None,
        )
        return True


def build(parts: runtime.Runtime) -> UpdateProcessor:
    """Return the handler as it is deployed."""
    environment = parts.environment(Environment)
    url, most = environment.queue_url, environment.max_receive_count
    return UpdateProcessor(
        store=ProjectionStore(
            parts.dynamodb,
            command_table_name=environment.command_table_name,
            query_table_name=environment.query_table_name,
        ),
        log=CommandStore(parts.dynamodb, environment.command_table_name),
        queue=None if url is None or most is None else Queue(parts.sqs, url, most),
        clock=parts.clock,
        budget=parts.budget,
        telemetry=parts.telemetry(environment),
    )


def _in_order(batch: list[Delivery]) -> Iterator[tuple[Delivery, Event | str]]:
    """Yield each delivery with its event, or why it has none; events by version.

    Records of one account are thereby applied in order, which saves healing gaps that only the
    transport made. All are applied in sequence: two of one owner would only collide.
    """
    parsed = [(delivery, _event_or_reason(delivery)) for delivery in batch]
    yield from sorted(parsed, key=lambda pair: 0 if isinstance(pair[1], str) else pair[1].version)


def _event_or_reason(delivery: Delivery) -> Event | str:
    try:
        return from_message(delivery.body)
    except UnreadableEventError as error:
        return str(error)
