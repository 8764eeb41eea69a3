"""The workbench of one row: resources of its own, and a deadline."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tidemark.aws import queues, stacks
from tidemark.errors import TidemarkError
from tidemark.probe.functions import Function, Functions
from tidemark.probe.names import unique_name

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tidemark.aws.clients import AwsClients
    from tidemark.host.deployment import Deployment
    from tidemark.probe.role import Role


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue of the row's own."""

    url: str
    arn: str


class Bench(Functions):
    """What a row works with; everything that it makes is removed when the row has ended.

    Args:
        clients: The target's.
        deployment: The deployed stack.
        role: The role of functions.
        within_s: How long the row may take, in seconds.
        clock: Monotonic time in seconds.
    """

    def __init__(
        self,
        clients: AwsClients,
        deployment: Deployment,
        role: Role,
        *,
        within_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(clients, role, within_s, clock)
        self.deployment = deployment

    def queue(self, *, is_fifo: bool = False, **attributes: str) -> Queue:
        """Make a queue."""
        name = unique_name() + (".fifo" if is_fifo else "")
        sqs = self.clients.sqs
        self.leftovers.owe(
            f"queue {name}",
            lambda: sqs.delete_queue(QueueUrl=sqs.get_queue_url(QueueName=name)["QueueUrl"]),
        )
        wanted = {**({"FifoQueue": "true"} if is_fifo else {}), **attributes}
        url = sqs.create_queue(QueueName=name, Attributes=wanted)["QueueUrl"]  # type: ignore[arg-type] # attribute names are literals in the stubs
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
        return Queue(url, arn["QueueArn"])

    def redriving_queue(self, dead_letters: Queue, receives: int, **attributes: str) -> Queue:
        """Make a queue whose messages go to another one when they were received too often."""
        policy = {"RedrivePolicy": redrive_policy(dead_letters, receives)}
        return self.queue(is_fifo=False, **attributes, **policy)

    def topic(self) -> str:
        """Make a topic, and return its ARN."""
        name = unique_name()
        arn = self.clients.sns.create_topic(Name=name)["TopicArn"]
        self.leftovers.owe_made(
            f"topic {name}", lambda: self.clients.sns.delete_topic(TopicArn=arn)
        )
        return arn

    def table(self, **settings: Any) -> str:
        """Make a table with the keys pk and sk, wait until it can be used, and return its name."""
        name = unique_name()
        dynamodb = self.clients.dynamodb
        self.leftovers.owe(f"table {name}", lambda: dynamodb.delete_table(TableName=name))
        dynamodb.create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[
                {"AttributeName": "pk", "KeyType": "HASH"},
                {"AttributeName": "sk", "KeyType": "RANGE"},
            ],
            AttributeDefinitions=[
                {"AttributeName": "pk", "AttributeType": "S"},
                {"AttributeName": "sk", "AttributeType": "S"},
            ],
            **settings,
        )

        def is_active() -> bool | None:
            status = dynamodb.describe_table(TableName=name)["Table"]["TableStatus"]
            return True if status == "ACTIVE" else None

        self.eventually(is_active, what="a table to be active")
        return name

    def mapping(self, function: Function, queue: Queue, **settings: Any) -> None:
        """Let a function receive from a queue, and wait until it does."""
        functions = self.clients.functions
        uuid_ = functions.create_event_source_mapping(
            FunctionName=function.name, EventSourceArn=queue.arn, **settings
        )["UUID"]
        self.leftovers.owe_made(
            f"mapping {uuid_}", lambda: functions.delete_event_source_mapping(UUID=uuid_)
        )

        def is_enabled() -> bool | None:
            state = functions.get_event_source_mapping(UUID=uuid_).get("State", "Enabled")
            return True if state == "Enabled" else None

        self.eventually(is_enabled, what="an event source mapping to be enabled")

    def depth(self, queue: Queue) -> int:
        """How many messages a queue holds, those in flight included."""
        return queues.depth_at(self.clients.sqs, queue.url)

    def let_send(self, queue: Queue, service: str, source_arn: str) -> None:
        """Let a service send to a queue for one source."""
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": service},
            "Action": "sqs:SendMessage",
            "Resource": queue.arn,
            "Condition": {"ArnEquals": {"aws:SourceArn": source_arn}},
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self.clients.sqs.set_queue_attributes(QueueUrl=queue.url, Attributes={"Policy": policy})

    def stack(self, resources: Mapping[str, Any]) -> Mapping[str, str]:
        """Deploy resources by CloudFormation; return their physical ids by logical id."""
        name = unique_name()
        cloudformation = self.clients.cloudformation
        self.leftovers.owe(f"stack {name}", lambda: stacks.delete(self.clients, name))
        cloudformation.create_stack(
            StackName=name, TemplateBody=json.dumps({"Resources": resources})
        )

        def probe() -> bool | None:
            stack = stacks.describe(self.clients, name)
            status = stack.status if stack else "absent"
            if "ROLLBACK" in status or status.endswith("FAILED"):
                reason = stacks.failure(cloudformation, name)
                raise TidemarkError(f"The stack was not created: {reason}.")
            return True if status == "CREATE_COMPLETE" else None

        self.eventually(probe, what="the stack to be created")
        return physical_ids(self.clients, name)

    def receive(self, queue: Queue, *, is_kept: bool = False) -> list[Mapping[str, Any]]:
        """Receive what a queue has to give now, and delete it unless it is to be kept."""
        messages = self.clients.sqs.receive_message(
            QueueUrl=queue.url,
            MaxNumberOfMessages=10,
            WaitTimeSeconds=0,
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
        ).get("Messages", [])
        if not is_kept:
            for message in messages:
                self.clients.sqs.delete_message(
                    QueueUrl=queue.url, ReceiptHandle=message["ReceiptHandle"]
                )
        return list(messages)


def redrive_policy(dead_letters: Queue, receives: int) -> str:
    """The attribute by which messages go to another queue after so many receives."""
    return json.dumps({"deadLetterTargetArn": dead_letters.arn, "maxReceiveCount": receives})


def physical_ids(clients: AwsClients, stack_name: str) -> Mapping[str, str]:
    """The physical ids of a stack's resources, by logical id."""
    pages = clients.cloudformation.get_paginator("list_stack_resources").paginate(
        StackName=stack_name
    )
    return {
        one["LogicalResourceId"]: one.get("PhysicalResourceId", "")
        for page in pages
        for one in page["StackResourceSummaries"]
    }
