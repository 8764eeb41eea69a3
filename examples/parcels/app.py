"""The CDK app: two tables, a topic, a queue, and three functions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from aws_cdk import App, CfnOutput, Duration, RemovalPolicy, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as event_sources
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs

_CODE = Path(__file__).parent / "parcels"
_TIMEOUT = Duration.seconds(5)


class ParcelStack(Stack):
    """Commands go into a log, the log is told by a topic, a queue feeds the tracking view."""

    def __init__(self, app: App, name: str) -> None:
        super().__init__(app, name)
        self._log = self._table("Log", partition="parcel", sort="version")
        self._tracking = self._table("Tracking", partition="parcel", sort="entry")
        self._topic = sns.Topic(self, "Scans")
        self._dead = sqs.Queue(self, "Lost")
        self._queue = sqs.Queue(
            self,
            "ScanQueue",
            visibility_timeout=_TIMEOUT,
            dead_letter_queue=sqs.DeadLetterQueue(max_receive_count=3, queue=self._dead),
        )
        self._topic.add_subscription(
            subscriptions.SqsSubscription(self._queue, raw_message_delivery=True)
        )
        self._intake()
        self._tracker()
        self._lookup()
        CfnOutput(self, "LogTableName", value=self._log.table_name)
        CfnOutput(self, "TrackingTableName", value=self._tracking.table_name)
        CfnOutput(self, "QueueName", value=self._queue.queue_name)
        CfnOutput(self, "LostQueueName", value=self._dead.queue_name)
        CfnOutput(self, "ScanTopicArn", value=self._topic.topic_arn)

    def _intake(self) -> None:
        intake = self._function(
            "Intake", LOG_TABLE=self._log.table_name, TOPIC_ARN=self._topic.topic_arn
        )
        self._log.grant_read_write_data(intake)
        self._topic.grant_publish(intake)

    def _tracker(self) -> None:
        module = self.node.try_get_context("tracker") or "tracker"
        tracker = self._function("Tracker", module, TRACKING_TABLE=self._tracking.table_name)
        self._tracking.grant_write_data(tracker)
        tracker.add_event_source(event_sources.SqsEventSource(self._queue, batch_size=1))

    def _lookup(self) -> None:
        lookup = self._function("Lookup", TRACKING_TABLE=self._tracking.table_name)
        self._tracking.grant_read_data(lookup)

    def _table(self, name: str, *, partition: str, sort: str) -> dynamodb.Table:
        string = dynamodb.AttributeType.STRING
        return dynamodb.Table(
            self,
            name,
            partition_key=dynamodb.Attribute(name=partition, type=string),
            sort_key=dynamodb.Attribute(name=sort, type=string),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            removal_policy=RemovalPolicy.DESTROY,
        )

    def _function(
        self, name: str, module: str | None = None, **environment: Any
    ) -> lambda_.Function:
        function = lambda_.Function(
            self,
            name,
            runtime=lambda_.Runtime.PYTHON_3_13,
            handler=f"{module or name.lower()}.handle",
            code=lambda_.Code.from_asset(str(_CODE), exclude=["__pycache__"]),
            environment=environment,
            timeout=_TIMEOUT,
            memory_size=256,
        )
        CfnOutput(self, f"{name}Function", value=function.function_name)
        return function


def main() -> None:
    """Synthesises into the folder that the CDK, or the plugin, names."""
    app = App()
    # The plugin names the stack, so that several fit on one target.
    ParcelStack(app, app.node.try_get_context("stack_name") or "Parcels")
    app.synth()


if __name__ == "__main__":
    main()
