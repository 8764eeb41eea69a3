"""Structured logs, and metrics in CloudWatch's embedded metric format.

Powertools writes both. Header values, bodies and tokens are never logged: only what a line names.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

from aws_lambda_powertools.logging import Logger
from aws_lambda_powertools.metrics import Metrics, MetricUnit

from functions.adapters.runtime import stack_name, trace


@cache
def logger() -> Logger:
    """Return the logger of this process; its service is POWERTOOLS_SERVICE_NAME."""
    return Logger()


@cache
def _metrics() -> Metrics:
    metrics = Metrics()
    # The stack is the one dimension, so that what two functions count adds up.
    metrics.provider.service = ""
    metrics.set_default_dimensions(stack=stack_name())
    return metrics


def log_invocation(context: Any, outcome: str, **fields: Any) -> None:
    """Write the one line that every invocation leaves."""
    logger().info(
        "invocation",
        extra={
            "function_request_id": context.aws_request_id,
            "trace": trace(),
            "outcome": outcome,
            **{name: value for name, value in fields.items() if value is not None},
        },
    )


def count(**counts: int) -> None:
    """Add to metrics that count; zero is left out."""
    for name, value in counts.items():
        if value:
            _metrics().add_metric(name, MetricUnit.Count, value)


def measure(unit: MetricUnit, values: Mapping[str, float]) -> None:
    """Add one value to each of some metrics of a unit."""
    for name, value in values.items():
        _metrics().add_metric(name, unit, value)


def flush_metrics() -> None:
    """Write what was added since the last flush, if anything was."""
    if _metrics().metric_set:
        _metrics().flush_metrics()
