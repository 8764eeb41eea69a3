"""The alarms: what needs a person, and what that person should look at first.

What a missing datapoint means differs. A gauge of the sweeper says nothing in a minute without a
sweep, so the alarm stays as it was; where a count or a latency is missing, nothing happened; where
somebody should be heard every minute, silence is the alarm.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_cloudwatch as cloudwatch

from stack.own_metric import MINUTE, own_metric

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aws_cdk import aws_lambda as lambda_
    from aws_cdk import aws_sqs as sqs
    from constructs import Construct

    from stack.api import Api

# A lost publish waits for the sweeper, which comes every minute; five minutes are several sweeps.
OUTBOX_AGE_LIMIT_S = 300
# Healthy lag is well under a second, so ten are trouble wherever the stack runs.
LAG_P99_LIMIT_MS = 10_000
SERVER_ERROR_LIMIT = 0.01
# A tenth of the invocations that an account may have at once by default. A minute of waiting in a
# minute is one invocation that is held.
HELD_BY_READERS_LIMIT = 100

_UNCHANGED = cloudwatch.TreatMissingData.IGNORE
_QUIET = cloudwatch.TreatMissingData.NOT_BREACHING
_SILENT = cloudwatch.TreatMissingData.BREACHING
_AT_LEAST = cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD
_ABOVE = cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD
_BELOW = cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD


def outbox_alarms(scope: Construct) -> list[cloudwatch.Alarm]:
    """Returns alarms on what the sweeper sees, and on the sweeper seeing nothing."""
    return [
        cloudwatch.Alarm(
            scope,
            "OutboxAge",
            alarm_description="An event has been waiting to be projected for over"
            f" {OUTBOX_AGE_LIMIT_S} s, although the sweeper publishes it again.",
            metric=own_metric("OutboxOldestAge", "max"),
            threshold=OUTBOX_AGE_LIMIT_S,
            comparison_operator=_ABOVE,
            evaluation_periods=2,
            treat_missing_data=_UNCHANGED,
        ),
        cloudwatch.Alarm(
            scope,
            "OutboxStuck",
            alarm_description="Ten copies did not bring an event into the read model; it is"
            " published once an hour. Find out why it is not projected; a redrive publishes it at"
            " once.",
            metric=own_metric("OutboxStuck", "max"),
            threshold=1,
            comparison_operator=_AT_LEAST,
            evaluation_periods=1,
            treat_missing_data=_UNCHANGED,
        ),
        cloudwatch.Alarm(
            scope,
            "OutboxUnreadable",
            alarm_description="The log has an event that the functions cannot read, as after a"
            " rollback. Deploy the version that wrote it, then redrive.",
            metric=own_metric("OutboxUnreadable", "max"),
            threshold=1,
            comparison_operator=_AT_LEAST,
            evaluation_periods=1,
            treat_missing_data=_UNCHANGED,
        ),
        cloudwatch.Alarm(
            scope,
            "OutboxUnread",
            alarm_description="In three of five sweeps a part of the outbox could not be read, so"
            " what waits there is neither published nor seen by the other alarms. Read why in the"
            " Outbox Sweeper's log.",
            metric=own_metric("OutboxUnreadShards", "max"),
            threshold=1,
            comparison_operator=_AT_LEAST,
            evaluation_periods=5,
            datapoints_to_alarm=3,
            treat_missing_data=_UNCHANGED,
        ),
        cloudwatch.Alarm(
            scope,
            "SweeperSilent",
            alarm_description="No sweep has come to its end for five minutes, so nobody publishes"
            " lost events and the outbox alarms are blind.",
            # Only a sweep that comes to its end writes this; one that fails is an invocation, too.
            metric=own_metric("Sweeps", "sum"),
            threshold=1,
            comparison_operator=_BELOW,
            evaluation_periods=5,
            treat_missing_data=_SILENT,
        ),
    ]


def flow_alarms(
    scope: Construct, *, dead_letter_queue: sqs.Queue, api: Api
) -> list[cloudwatch.Alarm]:
    """Returns alarms on events that are late or lost, and on callers who are not answered."""
    return [
        cloudwatch.Alarm(
            scope,
            "DeadLetters",
            alarm_description="A message could not be projected. Read its reason in the Update"
            " Processor's log; redrive it when the cause is gone.",
            metric=dead_letter_queue.metric_approximate_number_of_messages_visible(
                period=MINUTE, statistic="max"
            ),
            threshold=1,
            comparison_operator=_AT_LEAST,
            evaluation_periods=1,
            # A queue reports as long as it holds messages, and goes silent when long empty.
            treat_missing_data=_QUIET,
        ),
        cloudwatch.Alarm(
            scope,
            "ProjectionLag",
            alarm_description="For three minutes, one event in a hundred took over"
            f" {LAG_P99_LIMIT_MS} ms to reach the read model.",
            metric=own_metric("ProjectionLag", "p99"),
            threshold=LAG_P99_LIMIT_MS,
            comparison_operator=_ABOVE,
            evaluation_periods=3,
            treat_missing_data=_QUIET,
        ),
        cloudwatch.Alarm(
            scope,
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
        cloudwatch.Alarm(
            scope,
            "WaitingReads",
            alarm_description="For three minutes, reads that wait for a version have held over"
            f" {HELD_BY_READERS_LIMIT} invocations at once, which commands may want. Find out why"
            " the projection is late, or who asks for versions that do not come.",
            metric=own_metric("ReadWait", "sum"),
            threshold=HELD_BY_READERS_LIMIT * 60_000,
            comparison_operator=_ABOVE,
            evaluation_periods=3,
            treat_missing_data=_QUIET,
        ),
    ]


def function_alarms(
    scope: Construct, functions: Mapping[str, lambda_.Function]
) -> list[cloudwatch.Alarm]:
    """Returns alarms on invocations that failed or were not let in, for each function."""
    alarms: list[cloudwatch.Alarm] = []
    for name, function in functions.items():
        construct_id = name.replace(" ", "")
        alarms += [
            cloudwatch.Alarm(
                scope,
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
                scope,
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
