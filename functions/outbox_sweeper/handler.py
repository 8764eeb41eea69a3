"""The Outbox Sweeper: runs by schedule, and by hand with `{"redrive_stuck": true}`."""

from dataclasses import asdict, dataclass
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit

from functions.adapters import runtime
from functions.adapters.budget import Budget, Invocation
from functions.adapters.clock import Clock
from functions.adapters.event_bus import EventBus
from functions.adapters.outbox import Outbox
from functions.adapters.telemetry import Telemetry
from functions.outbox_sweeper.sweep import Sweep, Sweeper

_SPARE_MS = 3_000


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
        seen = Sweep()
        try:
            if event.get("redrive_stuck") is True:
                self._sweeper.redrive(seen)
            self._sweeper.sweep(seen)
            self._telemetry.count(Sweeps=1)
        finally:
            # Whatever happened: an alarm takes a metric that is not there for a healthy one.
            self._write_metrics(seen)
        report = asdict(seen)
        report["oldest_age_s"] = report.pop("oldest_age_ms") // 1000
        self._telemetry.log_invocation(context, "swept", **report)
        return report

    def _write_metrics(self, seen: Sweep) -> None:
        self._telemetry.measure(
            MetricUnit.Count,
            {
                "OutboxSize": seen.size,
                "OutboxStuck": seen.stuck,
                "OutboxUnreadable": seen.unreadable,
                "OutboxUnreadShards": seen.unread_shards,
            },
        )
        self._telemetry.measure(MetricUnit.Seconds, {"OutboxOldestAge": seen.oldest_age_ms // 1000})
        self._telemetry.count(PublishFailed=seen.not_published, PostponeFailed=seen.not_postponed)
        self._telemetry.flush_metrics()


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
