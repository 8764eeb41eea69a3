"""The widgets of the dashboard: what a person looks at who was called, or is curious."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_cloudwatch as cloudwatch

from stack.own_metric import MINUTE, own_metric

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aws_cdk import aws_lambda as lambda_

    from stack.api import Api
    from stack.messaging import Messaging


def widgets(
    *,
    alarms: Sequence[cloudwatch.IAlarm],
    functions: Mapping[str, lambda_.Function],
    messaging: Messaging,
    api: Api,
) -> list[list[cloudwatch.IWidget]]:
    """Returns the rows of the dashboard."""
    return [
        [cloudwatch.AlarmStatusWidget(title="Alarms", width=24, alarms=list(alarms))],
        [*_write_widgets(), _api_widget(api)],
        [*_projection_widgets(), _queue_widget(messaging)],
        _read_widgets(),
        _function_widgets(functions),
    ]


def _graph(
    title: str,
    left: Sequence[cloudwatch.IMetric],
    right: Sequence[cloudwatch.IMetric] = (),
    *,
    unit: str,
    right_unit: str = "",
) -> cloudwatch.GraphWidget:
    """Returns a third of a row; both axes begin at zero and say what they count."""
    return cloudwatch.GraphWidget(
        title=title,
        width=8,
        left=list(left),
        left_y_axis=cloudwatch.YAxisProps(min=0, label=unit, show_units=False),
        right=list(right),
        right_y_axis=cloudwatch.YAxisProps(min=0, label=right_unit, show_units=False),
    )


def _write_widgets() -> list[cloudwatch.IWidget]:
    """Commands by outcome, and the outbox."""
    return [
        _graph(
            "Commands by outcome",
            [
                own_metric("CommandsAccepted", "sum", "accepted"),
                own_metric("CommandsReplayed", "sum", "replayed"),
                own_metric("CommandsRefused", "sum", "refused"),
                own_metric("CommandsBusy", "sum", "busy"),
                own_metric("CommandsUnavailable", "sum", "unavailable"),
                own_metric("PublishFailed", "sum", "publish failed"),
            ],
            unit="per minute",
        ),
        _graph(
            "Outbox",
            [
                own_metric("OutboxSize", "max", "not yet projected"),
                own_metric("OutboxStuck", "max", "stuck"),
                own_metric("OutboxUnreadable", "max", "unreadable"),
                own_metric("OutboxUnreadShards", "max", "shards not read"),
                own_metric("PostponeFailed", "sum", "not put off"),
            ],
            [own_metric("OutboxOldestAge", "max", "age of the oldest")],
            unit="events",
            right_unit="s",
        ),
    ]


def _api_widget(api: Api) -> cloudwatch.IWidget:
    """Requests, errors and latency as the gateway sees them."""
    stage = api.rest_api.deployment_stage
    return _graph(
        "API",
        [
            stage.metric_count(period=MINUTE, statistic="sum", label="requests"),
            stage.metric_client_error(period=MINUTE, statistic="sum", label="4xx"),
            stage.metric_server_error(period=MINUTE, statistic="sum", label="5xx"),
        ],
        [
            stage.metric_latency(period=MINUTE, statistic="p50", label="latency p50"),
            stage.metric_latency(period=MINUTE, statistic="p99", label="latency p99"),
        ],
        unit="per minute",
        right_unit="ms",
    )


def _projection_widgets() -> list[cloudwatch.IWidget]:
    """How late the read model is, and what happened to the records it was given."""
    return [
        _graph(
            "Projection lag",
            [
                own_metric("ProjectionLag", "p50", "p50"),
                own_metric("ProjectionLag", "p99", "p99"),
                own_metric("ProjectionLag", "max", "max"),
            ],
            unit="ms",
        ),
        _graph(
            "Records",
            [
                own_metric("EventsApplied", "sum", "applied"),
                own_metric("Duplicates", "sum", "duplicates"),
                own_metric("GapsHealed", "sum", "gaps healed"),
                own_metric("RecordsFailed", "sum", "failed"),
            ],
            unit="per minute",
        ),
    ]


def _read_widgets() -> list[cloudwatch.IWidget]:
    """Reads by operation, those that were not answered, and how long some waited."""
    return [
        _graph(
            "Reads by operation",
            [
                own_metric("AccountReads", "sum", "accounts"),
                own_metric("StatementReads", "sum", "statements"),
                own_metric("OwnerAccountsReads", "sum", "an owner's accounts"),
                own_metric("OwnerTotalsReads", "sum", "an owner's totals"),
            ],
            unit="per minute",
        ),
        _graph(
            "Reads not answered",
            [
                own_metric("ReadsBehind", "sum", "behind"),
                own_metric("ReadsRefused", "sum", "refused"),
                own_metric("ReadsUnavailable", "sum", "unavailable"),
            ],
            unit="per minute",
        ),
        _graph(
            "Reads that waited for a version",
            [own_metric("ReadWait", "n", "reads")],
            [
                own_metric("ReadWait", "p50", "wait p50"),
                own_metric("ReadWait", "p99", "wait p99"),
            ],
            unit="per minute",
            right_unit="ms",
        ),
    ]


def _queue_widget(messaging: Messaging) -> cloudwatch.IWidget:
    """What waits between topic and processor, and what was given up."""
    queues = [("dead letters", messaging.dead_letter_queue)]
    if messaging.queue is not None:
        queues.insert(0, ("queue", messaging.queue))
    return _graph(
        "Queues",
        [
            queue.metric_approximate_number_of_messages_visible(
                period=MINUTE, statistic="max", label=name
            )
            for name, queue in queues
        ],
        [
            queue.metric_approximate_age_of_oldest_message(
                period=MINUTE, statistic="max", label=f"{name}: age of the oldest"
            )
            for name, queue in queues
        ],
        unit="messages",
        right_unit="s",
    )


def _function_widgets(functions: Mapping[str, lambda_.Function]) -> list[cloudwatch.IWidget]:
    """Errors, throttles and durations of every function."""
    return [
        _graph(
            "Function errors",
            [
                function.metric_errors(period=MINUTE, statistic="sum", label=name)
                for name, function in functions.items()
            ],
            unit="per minute",
        ),
        _graph(
            "Function throttles",
            [
                function.metric_throttles(period=MINUTE, statistic="sum", label=name)
                for name, function in functions.items()
            ],
            unit="per minute",
        ),
        _graph(
            "Function duration p99",
            [
                function.metric_duration(period=MINUTE, statistic="p99", label=name)
                for name, function in functions.items()
            ],
            unit="ms",
        ),
    ]
