"""The write side: the Command table, the Command Handler and the Outbox Sweeper."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Duration
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from constructs import Construct

from stack.handler_function import HandlerFunction, allow
from stack.table import number, table

if TYPE_CHECKING:
    from aws_cdk import RemovalPolicy
    from aws_cdk import aws_sns as sns

    from stack.handler_function import Build

OUTBOX_INDEX = "outbox"
SWEEP_INTERVAL = Duration.minutes(1)


class WriteSide(Construct):
    """Decides commands and publishes what they caused.

    Attributes:
        command_table: The event log, its heads and the command records.
        command_handler: Answers commands.
        outbox_sweeper: Publishes again what nobody projected.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        topic: sns.ITopic,
        build: Build,
        removal_policy: RemovalPolicy,
    ) -> None:
        super().__init__(scope, construct_id)
        self.command_table = table(
            self,
            "CommandTable",
            removal_policy=removal_policy,
            time_to_live_attribute="expires_at",
        )
        self.command_table.add_global_secondary_index(
            index_name=OUTBOX_INDEX,
            partition_key=number("outbox"),
            sort_key=number("due"),
            projection_type=dynamodb.ProjectionType.KEYS_ONLY,
        )
        table_arn = self.command_table.table_arn
        environment = {
            "COMMAND_TABLE_NAME": self.command_table.table_name,
            "TOPIC_ARN": topic.topic_arn,
        }
        self.command_handler = HandlerFunction(
            self,
            "CommandHandler",
            package="command_handler",
            build=build,
            timeout=Duration.seconds(10),
            environment=environment,
            permissions=[
                # A transaction is authorised as what its items are.
                allow(
                    "dynamodb:GetItem",
                    "dynamodb:PutItem",
                    on=[table_arn],
                    leading_keys=["account#*", "command#*"],
                ),
                allow("sns:Publish", on=[topic.topic_arn]),
            ],
        ).function
        self.outbox_sweeper = HandlerFunction(
            self,
            "OutboxSweeper",
            package="outbox_sweeper",
            build=build,
            timeout=Duration.seconds(50),
            environment=environment,
            permissions=[
                # Without leading keys: its partition keys are the numbers of all shards.
                allow("dynamodb:Query", on=[f"{table_arn}/index/{OUTBOX_INDEX}"]),
                allow(
                    "dynamodb:BatchGetItem",
                    "dynamodb:UpdateItem",
                    on=[table_arn],
                    leading_keys=["account#*"],
                ),
                allow("sns:Publish", on=[topic.topic_arn]),
            ],
        ).function
        # A sweep that failed, or that could not begin, is made up for by the next one; tried
        # again it would only run beside it. A minute is the shortest age that AWS allows.
        self.outbox_sweeper.configure_async_invoke(retry_attempts=0, max_event_age=SWEEP_INTERVAL)
        events.Rule(
            self,
            "SweepSchedule",
            schedule=events.Schedule.rate(SWEEP_INTERVAL),
            targets=[
                targets.LambdaFunction(
                    self.outbox_sweeper, retry_attempts=0, max_event_age=SWEEP_INTERVAL
                )
            ],
        )
