"""The metrics that the functions write."""

from __future__ import annotations

from aws_cdk import Aws, Duration
from aws_cdk import aws_cloudwatch as cloudwatch

from stack.handler_function import METRICS_NAMESPACE

MINUTE = Duration.minutes(1)


def own_metric(name: str, statistic: str, label: str | None = None) -> cloudwatch.Metric:
    """Returns a metric that the functions write, of this stack."""
    return cloudwatch.Metric(
        namespace=METRICS_NAMESPACE,
        metric_name=name,
        dimensions_map={"stack": Aws.STACK_NAME},
        period=MINUTE,
        statistic=statistic,
        label=label,
    )
