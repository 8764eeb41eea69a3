"""What tells an operator how the system is: alarms, and one dashboard that shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Aws, Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from stack.handler_function import METRICS_NAMESPACE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aws_cdk import aws_lambda as lambda_
    from aws_cdk import aws_sqs as sqs

    from stack.api import Api
    from stack.messaging import Messaging

MINUTE = Duration.minutes(1)
# A lost publish waits for the sweeper, which comes every minute; five minutes are several sweeps.
OUTBOX_AGE_LIMIT_S = 300
# Healthy lag is well under a second, so ten are trouble wherever the stack runs.
LAG_P99_LIMIT_MS = 10_000
SERVER_ERROR_LIMIT = 0.01

_QUIET = cloudwatch.TreatMissingData.NOT_BREACHING
_AT_LEAST = cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD
_ABOVE = cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD


class Observability(Construct):
    """Alarms on what needs a person, and a dashboard for the person who comes.

    The alarms have no action, because whom to tell is not the stack's to know: an EventBridge rule
    on "CloudWatch Alarm State Change" reaches all of them.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        functions: Mapping[str, lambda_.Function],
        messaging: Messaging,
        api: Api,
    ) -> None:
        """Declares alarms and dashboard.

        Args:
            scope: The construct it belongs to.
            construct_id: Its id there.
            functions: The functions by the names that people call them by.
            messaging: The wiring.
            api: The API.
        """
        super().__init__(scope, construct_id)
        alarms = [
            *self._flow_alarms(messaging.dead_letter_queue, functions["Outbox Sweeper"], api),
            *self._function_alarms(functions),
        ]
        cloudwatch.Dashboard(
            self,
            "Dashboard",
            default_interval=Duration.hours(3),
            widgets=[
                [cloudwatch.AlarmStatusWidget(title="Alarms", width=24, alarms=alarms)],
                [*_write_widgets(), _api_widget(api)],
                [*_read_widgets(), _queue_widget(messaging)],
                _function_widgets(functions),
            ],
        )

    def _flow_alarms(
        self, dead_letter_queue: sqs.Queue, sweeper: lambda_.Function, api: Api
    ) -> list[cloudwatch.Alarm]:
        """Alarms on events that are late or lost, and on callers who are not answered."""
        return [
            cloudwatch.Alarm(
                self,
                "DeadLetters",
                alarm_description="A message could not be projected. Read its reason in the Update"
                " Processor's log; redrive it when the cause is gone.",
                metric=dead_letter_queue.metric_approximate_number_of_messages_visible(
                    period=MINUTE, statistic="max"
                ),
                threshold=1,
                comparison_operator=_AT_LEAST,
                evaluation_periods=1,
                treat_missing_data=_QUIET,
            ),
            cloudwatch.Alarm(
                self,
                "OutboxAge",
                alarm_description="An event has been waiting to be projected for over"
                f" {OUTBOX_AGE_LIMIT_S} s, although the sweeper publishes it again.",
                metric=_metric("OutboxOldestAge", "max"),
                threshold=OUTBOX_AGE_LIMIT_S,
                comparison_operator=_ABOVE,
                evaluation_periods=2,
                treat_missing_data=_QUIET,
            ),
            cloudwatch.Alarm(
                self,
                "OutboxStuck",
                alarm_description="The sweeper gave an event up after ten attempts. Find out why"
                " it cannot be projected, then redrive it.",
                metric=_metric("OutboxStuck", "max"),
                threshold=1,
                comparison_operator=_AT_LEAST,
                evaluation_periods=1,
                treat_missing_data=_QUIET,
            ),
            cloudwatch.Alarm(
                self,
                "SweeperSilent",
                alarm_description="The sweeper has not run for five minutes, so nobody publishes"
                " lost events and the outbox alarms are blind.",
                metric=sweeper.metric_invocations(period=MINUTE, statistic="sum"),
                threshold=1,
                comparison_operator=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
                evaluation_periods=5,
                treat_missing_data=cloudwatch.TreatMissingData.BREACHING,
            ),
            cloudwatch.Alarm(
                self,
                "ProjectionLag",
                alarm_description="For three minutes, one event in a hundred took over"
                f" {LAG_P99_LIMIT_MS} ms to reach the read model.",
                metric=_metric("ProjectionLag", "p99"),
                threshold=LAG_P99_LIMIT_MS,
                comparison_operator=_ABOVE,
                evaluation_periods=3,
                treat_missing_data=_QUIET,
            ),
            cloudwatch.Alarm(
                self,
                "ApiServerErrors",
                alarm_description="For three minutes, over one request in a hundred was answered"
                " with a 5xx.",
                metric=api.rest_api.deployment_stage.metric_server_error(
                    period=MINUTE, statistic="avg"
                ),
                threshold=SERVER_ERROR_LIMIT,
                comparison_operator=_ABOVE,
                evaluation_periods=3,
                treat_missing_data=_QUIET,
            ),
        ]

    def _function_alarms(self, functions: Mapping[str, lambda_.Function]) -> list[cloudwatch.Alarm]:
        """Alarms on invocations that failed or were not let in, for each function."""
        alarms: list[cloudwatch.Alarm] = []
        for name, function in functions.items():
            construct_id = name.replace(" ", "")
            alarms += [
                cloudwatch.Alarm(
                    self,
                    f"{construct_id}Errors",
                    alarm_description=f"An invocation of the {name} ended in an error that it did"
                    " not expect, or in its timeout.",
                    metric=function.metric_errors(period=MINUTE, statistic="sum"),
                    threshold=1,
                    comparison_operator=_AT_LEAST,
                    evaluation_periods=1,
                    treat_missing_data=_QUIET,
                ),
                cloudwatch.Alarm(
                    self,
                    f"{construct_id}Throttles",
                    alarm_description=f"For three minutes, invocations of the {name} were refused"
                    " for want of concurrency.",
                    metric=function.metric_throttles(period=MINUTE, statistic="sum"),
                    threshold=1,
                    comparison_operator=_AT_LEAST,
                    evaluation_periods=3,
                    treat_missing_data=_QUIET,
                ),
            ]
        return alarms


def _metric(name: str, statistic: str, label: str | None = None) -> cloudwatch.Metric:
    """Returns a metric that the functions write, of this stack."""
    return cloudwatch.Metric(
        namespace=METRICS_NAMESPACE,
        metric_name=name,
        dimensions_map={"stack": Aws.STACK_NAME},
        period=MINUTE,
        statistic=statistic,
        label=label,
    )


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
                _metric("CommandsAccepted", "sum", "accepted"),
                _metric("CommandsReplayed", "sum", "replayed"),
                _metric("CommandsRefused", "sum", "refused"),
                _metric("CommandsBusy", "sum", "busy"),
                _metric("CommandsUnavailable", "sum", "unavailable"),
                _metric("PublishFailed", "sum", "publish failed"),
            ],
            unit="per minute",
        ),
        _graph(
            "Outbox",
            [
                _metric("OutboxSize", "max", "not yet projected"),
                _metric("OutboxStuck", "max", "stuck"),
            ],
            [_metric("OutboxOldestAge", "max", "age of the oldest")],
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


def _read_widgets() -> list[cloudwatch.IWidget]:
    """How late the read model is, and what happened to the records it was given."""
    return [
        _graph(
            "Projection lag",
            [
                _metric("ProjectionLag", "p50", "p50"),
                _metric("ProjectionLag", "p99", "p99"),
                _metric("ProjectionLag", "max", "max"),
            ],
            unit="ms",
        ),
        _graph(
            "Records",
            [
                _metric("EventsApplied", "sum", "applied"),
                _metric("Duplicates", "sum", "duplicates"),
                _metric("GapsHealed", "sum", "gaps healed"),
                _metric("RecordsFailed", "sum", "failed"),
            ],
            unit="per minute",
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
