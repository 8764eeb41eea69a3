"""The Outbox Sweeper: runs by schedule, and by hand with `{"redrive_stuck": true}`."""

from dataclasses import dataclass
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit

from functions.adapters import runtime
from functions.adapters.budget import Budget, Invocation
from functions.adapters.clock import Clock
from functions.adapters.event_bus import EventBus
from functions.adapters.outbox import Outbox
from functions.adapters.telemetry import Telemetry
from functions.outbox_sweeper.sweep import Sweeper

_SPARE_MS = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment(runtime.Environment):
    """What the stack tells the Outbox Sweeper."""

    command_table_name: str
    topic_arn: str


class OutboxSweeper:
    """Publishes again what nobody projected."""

    def __init__(
        self,
        *,
        outbox: Outbox,
        bus: EventBus,
        clock: Clock,
        budget: Budget,
        telemetry: Telemetry,
    ) -> None:
        self._sweeper = Sweeper(outbox, bus, clock, budget, telemetry)
        self._budget = budget
        self._telemetry = telemetry

    def handle(self, event: dict[str, Any], context: Invocation) -> dict[str, int]:
        """Sweep once.

        Args:
            event: the schedule's event, or `{"redrive_stuck": true}` to free the stuck events
                first.
            context: the invocation.

        Returns:
            What the sweep saw and did, in counts and seconds.
        """
        self._budget.begin(context, spare_ms=_SPARE_MS)
        redriven = self._sweeper.redrive() if event.get("redrive_stuck") is True else 0
        result = self._sweeper.sweep()
        oldest_age_s = result.oldest_age_ms // 1000
        self._telemetry.measure(
            MetricUnit.Count, {"OutboxSize": result.size, "OutboxStuck": result.stuck}
        )
        self._telemetry.measure(MetricUnit.Seconds, {"OutboxOldestAge": oldest_age_s})
        self._telemetry.count(PublishFailed=result.not_published)
        report = {
            "size": result.size,
            "stuck": result.stuck,
            "oldest_age_s": oldest_age_s,
            "published": result.published,
            "not_published": result.not_published,
            "redriven": redriven,
        }
        self._telemetry.log_invocation(context, "swept", **report)
        self._telemetry.flush_metrics()
        return report


def build(parts: runtime.Runtime) -> OutboxSweeper:
    """Return the handler as it is deployed."""
    environment = parts.environment(Environment)
    return OutboxSweeper(
        outbox=Outbox(parts.dynamodb, environment.command_table_name, parts.clock),
        bus=EventBus(parts.sns, environment.topic_arn),
        clock=parts.clock,
        budget=parts.budget,
        telemetry=parts.telemetry(environment),
    )
