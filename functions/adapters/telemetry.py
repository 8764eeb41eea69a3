"""Structured logs, and metrics in CloudWatch's embedded metric format.

Powertools writes both. Header values, bodies and tokens are never logged: only what a line names.
"""

from collections.abc import Callable, Mapping
from typing import Any

from aws_lambda_powertools.logging import Logger
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from functions.adapters.budget import Invocation


class Telemetry:
    """The log lines and metrics of one function.

    Args:
        service: the name in every log line.
        namespace: the namespace of every metric.
        stack_name: the dimension of every metric, the only one, so that what two functions count
            adds up.
        trace: returns the X-Ray header of the current invocation, if there is one.
    """

    def __init__(
        self, *, service: str, namespace: str, stack_name: str, trace: Callable[[], str | None]
    ) -> None:
        self.logger = Logger(service=service)
        self.trace = trace
        # Without a service, which would be a second dimension.
        self._metrics = EphemeralMetrics(service="", namespace=namespace)
        self._metrics.set_default_dimensions(stack=stack_name)

    def log_invocation(self, invocation: Invocation, outcome: str, **fields: Any) -> None:
        """Write the one line that every invocation leaves."""
        self.logger.info(
            "invocation",
            extra={
                "function_request_id": invocation.aws_request_id,
                "trace": self.trace(),
                "outcome": outcome,
                **{name: value for name, value in fields.items() if value is not None},
            },
        )

    def count(self, **counts: int) -> None:
        """Add to metrics that count; zero is left out."""
        for name, value in counts.items():
            if value:
                self._metrics.add_metric(name, MetricUnit.Count, value)

    def measure(self, unit: MetricUnit, values: Mapping[str, float]) -> None:
        """Add one value to each of some metrics of a unit."""
        for name, value in values.items():
            self._metrics.add_metric(name, unit, value)

    def flush_metrics(self) -> None:
        """Write what was added since the last flush, if anything was."""
        if self._metrics.metric_set:
            self._metrics.flush_metrics()
