"""The Update Processor: parse, project, acknowledge, and report what failed."""

from collections.abc import Iterator
from functools import cache
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from botocore.exceptions import BotoCoreError, ClientError

from functions.adapters import clock, runtime, telemetry
from functions.adapters.command_store import CommandStore
from functions.adapters.event_codec import UnreadableEventError, from_message
from functions.adapters.projection_store import ProjectionStore, UnknownEventError
from functions.domain.account import Event
from functions.update_processor import redelivery
from functions.update_processor.deliveries import Delivery, deliveries
from functions.update_processor.projection import NoTimeLeftError, Outcome, project

_SPARE_MS = 1_500
"""What is kept of the function's time to report failures in."""


@cache
def _store() -> ProjectionStore:
    return ProjectionStore(
        runtime.dynamodb(),
        command_table_name=runtime.command_table_name(),
        query_table_name=runtime.query_table_name(),
    )


@cache
def _log() -> CommandStore:
    return CommandStore(runtime.dynamodb(), runtime.command_table_name())


def handle(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Apply the events in an SQS or SNS event, each by itself.

    Returns:
        The batch item failures: the queue delivers those again, and only those.

    Raises:
        redelivery.UndeliverableError: a delivery from the topic can never succeed.
    """
    deadline_ms = clock.now_ms() + context.get_remaining_time_in_millis() - _SPARE_MS
    batch = deliveries(event)
    failed = [
        delivery
        for delivery, parsed in _in_order(batch)
        if not _processed(delivery, parsed, deadline_ms)
    ]
    telemetry.count(RecordsFailed=len(failed))
    telemetry.log_invocation(context, "processed", records=len(batch), failed=len(failed))
    telemetry.flush_metrics()
    return redelivery.report(failed)


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


def _processed(delivery: Delivery, parsed: Event | str, deadline_ms: int) -> bool:
    """Project one delivery and log what became of it; False if it is to be delivered again."""
    if isinstance(parsed, str):
        return redelivery.failed_for_good(delivery, None, parsed)
    try:
        projected = project(parsed, store=_store(), log=_log(), deadline_ms=deadline_ms)
    except UnknownEventError as error:
        return redelivery.failed_for_good(delivery, parsed, str(error))
    except (NoTimeLeftError, BotoCoreError, ClientError) as error:
        return redelivery.failed_for_now(delivery, parsed, str(error))
    except Exception as error:  # noqa: BLE001 - one record must not fail its batch; the queue keeps it
        telemetry.logger().exception("unexpected failure")
        return redelivery.failed_for_good(delivery, parsed, repr(error))
    applied = projected.outcome is Outcome.APPLIED
    telemetry.count(
        EventsApplied=int(applied),
        Duplicates=int(not applied),
        GapsHealed=len(projected.healed),
    )
    if applied:
        telemetry.measure(MetricUnit.Milliseconds, {"ProjectionLag": projected.lag_ms})
    redelivery.log_record(
        delivery,
        parsed,
        projected.outcome,
        healed=list(projected.healed),
        attempts=projected.attempts,
        lag_ms=projected.lag_ms if applied else None,
    )
    return True
