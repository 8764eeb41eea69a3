"""The Outbox Sweeper: runs by schedule, and by hand with `{"redrive_stuck": true}`."""

from functools import cache
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit

from functions.adapters import clock, runtime, telemetry
from functions.adapters.event_bus import EventBus
from functions.adapters.outbox import Outbox
from functions.outbox_sweeper.sweep import redrive, sweep

_SPARE_MS = 5_000


@cache
def _outbox() -> Outbox:
    return Outbox(runtime.dynamodb(), runtime.command_table_name())


@cache
def _bus() -> EventBus:
    return EventBus(runtime.sns(), runtime.topic_arn())


def handle(event: dict[str, Any], context: Any) -> dict[str, int]:
    """Sweep once.

    Args:
        event: the schedule's event, or `{"redrive_stuck": true}` to free the stuck events first.
        context: the invocation.

    Returns:
        What the sweep saw and did, in counts and seconds.
    """
    deadline_ms = clock.now_ms() + context.get_remaining_time_in_millis() - _SPARE_MS
    redriven = redrive(_outbox()) if event.get("redrive_stuck") is True else 0
    result = sweep(_outbox(), _bus(), trace=runtime.trace(), deadline_ms=deadline_ms)
    oldest_age_s = result.oldest_age_ms // 1000
    telemetry.measure(MetricUnit.Count, {"OutboxSize": result.size, "OutboxStuck": result.stuck})
    telemetry.measure(MetricUnit.Seconds, {"OutboxOldestAge": oldest_age_s})
    telemetry.count(PublishFailed=result.not_published)
    report = {
        "size": result.size,
        "stuck": result.stuck,
        "oldest_age_s": oldest_age_s,
        "published": result.published,
        "not_published": result.not_published,
        "redriven": redriven,
    }
    telemetry.log_invocation(context, "swept", **report)
    telemetry.flush_metrics()
    return report
