"""The Update Processor: parse, project, acknowledge, and report what failed."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit

from functions.adapters import runtime
from functions.adapters.budget import Budget, Invocation
from functions.adapters.clock import Clock
from functions.adapters.event_codec import Unreadable
from functions.adapters.event_log import EventLog
from functions.adapters.projection_store import ProjectionStore
from functions.adapters.telemetry import Telemetry
from functions.domain.account import Event
from functions.update_processor.batch import Record, batch_of, by_account, line_of
from functions.update_processor.projection import (
    Ending,
    FailedForGood,
    FailedForNow,
    Projected,
    Projection,
)
from functions.update_processor.redelivery import Queue, Redelivery, report
from functions.update_processor.turns import Lane, take_turns

_SPARE_MS = 1_500
"""What is kept of the function's time to report failures in."""

_LAST_MS = 300
"""What is kept of that to answer in."""


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
        log: EventLog,
        queue: Queue | None,
        clock: Clock,
        budget: Budget,
        telemetry: Telemetry,
    ) -> None:
        self._projection = Projection(store, log, clock)
        self._redelivery = Redelivery(queue, clock, telemetry)
        self._clock = clock
        self._budget = budget
        self._telemetry = telemetry
        self._request_id = ""

    def handle(self, event: dict[str, Any], context: Invocation) -> dict[str, Any]:
        """Apply the events in an SQS or SNS event, each by itself.

        Returns:
            The batch item failures: the queue delivers those again, and only those.

        Raises:
            redelivery.UndeliverableError: a delivery from the topic can never succeed.
        """
        self._budget.begin(context, spare_ms=_SPARE_MS)
        self._request_id = context.aws_request_id
        batch = batch_of(event)
        # Before anything is tried, so that an invocation that never ends is seen all the same.
        self._telemetry.logger.info(
            "started",
            extra={
                "function_request_id": context.aws_request_id,
                "message_ids": [record.delivery.message_id for record in batch],
            },
        )
        for record in batch:
            if isinstance(record.body, Unreadable):
                self._conclude(record, FailedForGood(record.body.reason))
        lanes = [self._lane(records) for records in by_account(batch)]
        take_turns(lanes, clock=self._clock, budget=self._budget)
        for record in batch:
            if record.ending is None:
                attempts = record.progress.attempts
                self._conclude(record, FailedForNow(f"no time left after {attempts} attempts"))
        failed = [record.delivery for record in batch if record.has_failed]
        self._budget.begin(context, spare_ms=_LAST_MS)
        self._redelivery.deliver_again_soon(failed)
        self._telemetry.count(RecordsFailed=len(failed))
        self._telemetry.log_invocation(context, "processed", records=len(batch), failed=len(failed))
        self._telemetry.flush_metrics()
        return report(failed)

    def _lane(self, records: Iterable[tuple[Record, Event]]) -> Lane:
        """Bring the read model of one account up to each of its records, in turns."""
        for record, event in records:
            try:
                ending = yield from self._projection.bring_up_to(event, record.progress)
            except Exception as error:  # one record must not fail its batch; the queue keeps it
                self._telemetry.logger.exception("unexpected failure")
                ending = FailedForGood(repr(error))
            self._conclude(record, ending)
            yield 0

    def _conclude(self, record: Record, ending: Ending) -> None:
        """Note, log and count what became of a record."""
        record.ending = ending
        record.left_to = self._redelivery.left_to(record.delivery, ending)
        line = {"function_request_id": self._request_id, **line_of(record)}
        self._telemetry.logger.info("record", extra=line)
        self._telemetry.count(
            EventsApplied=int(ending == Projected(duplicate=False)),
            Duplicates=int(ending == Projected(duplicate=True)),
            GapsHealed=len(record.progress.healed),
        )
        for lag_ms in record.progress.lags_ms:
            self._telemetry.measure(MetricUnit.Milliseconds, {"ProjectionLag": lag_ms})


def build(parts: runtime.Runtime) -> UpdateProcessor:
    """Return the handler as it is deployed."""
    environment = parts.environment(Environment)
    url, most = environment.queue_url, environment.max_receive_count
    return UpdateProcessor(
        store=ProjectionStore(
            parts.dynamodb_once,
            command_table_name=environment.command_table_name,
            query_table_name=environment.query_table_name,
        ),
        log=EventLog(parts.dynamodb_once, environment.command_table_name),
        queue=None if url is None or most is None else Queue(parts.sqs, url, most),
        clock=parts.clock,
        budget=parts.budget,
        telemetry=parts.telemetry(environment),
    )
