"""From the write side to the read side: the topic, and what brings its messages to the processor.

Each wiring is one class. They share the functions and must satisfy the same invariants.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Duration
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from stack.handler_function import allow

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aws_cdk import aws_iam as iam

PROCESSOR_TIMEOUT = Duration.seconds(10)
# Lambda asks for six times the function's timeout, so that a batch that is being retried under
# throttling is not handed out a second time.
VISIBILITY_TIMEOUT = Duration.seconds(60)
MAX_RECEIVE_COUNT = 5
BATCH_SIZE = 10
MAX_CONCURRENCY = 10
DEAD_LETTER_RETENTION = Duration.days(14)


class Messaging(Construct):
    """The topic and the dead-letter queue, which every wiring has.

    Attributes:
        topic: Where the write side publishes events.
        dead_letter_queue: Where a message ends that cannot be projected.
        queue: What the Update Processor is fed from, if the wiring has one.
        mapping: What feeds it, if there is a queue.
    """

    queue: sqs.Queue | None = None
    mapping: lambda_.EventSourceMapping | None = None

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        # No KMS key: with the AWS-managed one, deliveries to queues and from alarms fail silently.
        self.topic = sns.Topic(self, "Topic", enforce_ssl=True)
        self.dead_letter_queue = sqs.Queue(
            self,
            "DeadLetterQueue",
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=DEAD_LETTER_RETENTION,
        )

    @property
    def processor_environment(self) -> Mapping[str, str]:
        """The environment variables that this wiring adds to the Update Processor."""
        return {}

    @property
    def processor_permissions(self) -> Sequence[iam.PolicyStatement]:
        """The permissions that this wiring adds to the Update Processor."""
        return []

    @property
    def function_dead_letter_queue(self) -> sqs.Queue | None:
        """The queue for failed invocations, if this wiring invokes asynchronously."""
        return None

    def deliver_to(self, processor: lambda_.Function) -> None:
        """Brings every message of the topic to the Update Processor."""
        raise NotImplementedError


class QueuedMessaging(Messaging):
    """Topic → queue → processor: batches, back-pressure, retries per message."""

    queue: sqs.Queue

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        self.queue = sqs.Queue(
            self,
            "Queue",
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            visibility_timeout=VISIBILITY_TIMEOUT,
            dead_letter_queue=sqs.DeadLetterQueue(
                max_receive_count=MAX_RECEIVE_COUNT, queue=self.dead_letter_queue
            ),
        )
        self.topic.add_subscription(
            subscriptions.SqsSubscription(self.queue, raw_message_delivery=True)
        )

    @property
    def processor_environment(self) -> Mapping[str, str]:
        """Where messages come from, and at which receive a message is about to be given up."""
        return {
            "QUEUE_URL": self.queue.queue_url,
            "MAX_RECEIVE_COUNT": str(MAX_RECEIVE_COUNT),
        }

    @property
    def processor_permissions(self) -> Sequence[iam.PolicyStatement]:
        """What the event source mapping does with the role, and shortening a visibility."""
        return [
            allow(
                "sqs:ChangeMessageVisibility",
                "sqs:DeleteMessage",
                "sqs:GetQueueAttributes",
                "sqs:ReceiveMessage",
                on=[self.queue.queue_arn],
            )
        ]

    def deliver_to(self, processor: lambda_.Function) -> None:
        """Feeds the processor from the queue."""
        self.mapping = lambda_.EventSourceMapping(
            self,
            "Mapping",
            target=processor,
            event_source_arn=self.queue.queue_arn,
            batch_size=BATCH_SIZE,
            max_concurrency=MAX_CONCURRENCY,
            report_batch_item_failures=True,
        )


class DirectMessaging(Messaging):
    """Topic → processor: one asynchronous invocation per message, the textbook form."""

    @property
    def function_dead_letter_queue(self) -> sqs.Queue | None:
        """Where Lambda puts a message after its retries."""
        return self.dead_letter_queue

    def deliver_to(self, processor: lambda_.Function) -> None:
        """Subscribes the processor to the topic."""
        self.topic.add_subscription(subscriptions.LambdaSubscription(processor))


WIRINGS: Mapping[str, type[Messaging]] = {"queued": QueuedMessaging, "direct": DirectMessaging}
