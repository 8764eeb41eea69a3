"""The workbench of one row: resources of its own, and a deadline."""

from __future__ import annotations

import json
import re
import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

from tidemark.aws import stacks
from tidemark.errors import TidemarkError
from tidemark.host.waiting import NotSeenError, NotYetError, eventually
from tidemark.probe.cleanup import EndedRowError, Leftovers
from tidemark.probe.invocations import HANDLER, Invocation, code_zip, invocations_in
from tidemark.probe.observation import NotSeenInTimeError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tidemark.aws.clients import AwsClients
    from tidemark.host.deployment import Deployment
    from tidemark.probe.role import Role

T = TypeVar("T")

PREFIX = "tidemark-probe"
UNIQUE_NAME = re.compile(PREFIX + "-[0-9a-f]{12}")
RUNTIME: Final = "python3.13"
_FUNCTION_TIMEOUT_S = 5


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue of the row's own."""

    url: str
    arn: str


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the row's own."""

    name: str
    arn: str


def unique_name() -> str:
    """A name that no other row or run has, within every service's length."""
    return f"{PREFIX}-{uuid.uuid4().hex[:12]}"


class Bench:
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
        self.clients = clients
        self.deployment = deployment
        self.role = role
        self.leftovers = Leftovers()
        self._clock = clock
        self._deadline = clock() + within_s

    @property
    def left_s(self) -> float:
        """How much of the row's time is left, in seconds; none once the row was given up."""
        return 0.0 if self.leftovers.is_closed else max(0.0, self._deadline - self._clock())

    def eventually(
        self, probe: Callable[[], T | None], *, what: str, within_s: float | None = None
    ) -> T:
        """Wait for a condition, at most until the row's deadline.

        Args:
            probe: See :func:`tidemark.host.waiting.eventually`.
            what: What is waited for.
            within_s: Wait at most so long, if that is sooner.

        Raises:
            NotSeenInTimeError: It was not seen in time.
        """
        bound_s = self.left_s if within_s is None else min(within_s, self.left_s)
        seen: list[str] = []

        def remembered() -> T | None:
            if self.leftovers.is_closed:
                raise EndedRowError(f"nobody waits for {what} any more")
            try:
                return probe()
            except NotYetError as not_yet:
                seen.append(str(not_yet))
                raise

        try:
            return eventually(remembered, within_s=bound_s, what=what)
        except NotSeenError as not_seen:
            raise NotSeenInTimeError(seen[-1] if seen else f"no sign of {what}") from not_seen

    def settled(self, look: Callable[[], T], *, for_s: float, what: str) -> T:
        """Look until nothing has changed for a while, and return what was seen last.

        Args:
            look: Returns what is seen now, or raises NotYetError when that cannot be the end.
            for_s: How long nothing must change, in seconds.
            what: What is waited for.

        Raises:
            NotSeenInTimeError: It kept changing, or did not come to an end.
        """
        last: tuple[T] | None = None
        since = self._clock()

        def probe() -> tuple[T] | None:
            nonlocal last, since
            try:
                now = (look(),)
            except NotYetError:
                last = None
                raise
            if now != last:
                last, since = now, self._clock()
            return last if self._clock() - since >= for_s else None

        return self.eventually(probe, what=what)[0]

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

    def function(
        self,
        *,
        fails: bool = False,
        answer: Any = None,
        extra_line: str = "",
        **settings: Any,
    ) -> Function:
        """Make a function that logs its invocations, and wait until it can be invoked.

        Args:
            fails: Whether it raises.
            answer: What it returns otherwise; `$id` in it is the id of the message "bad".
            extra_line: A further line for it to log.
            settings: More arguments of CreateFunction.
        """
        name = unique_name()
        functions = self.clients.functions
        # Twice: an invocation that is under way when the row ends may log once more.
        for leftovers in (self.role.leftovers, self.leftovers):
            leftovers.owe(
                f"log group of {name}",
                lambda: self.clients.logs.delete_log_group(logGroupName=f"/aws/lambda/{name}"),
            )
        self.leftovers.owe(f"function {name}", lambda: functions.delete_function(FunctionName=name))
        environment = {
            "BEHAVIOUR": "fail" if fails else "answer",
            "ANSWER": json.dumps({} if answer is None else answer),
            "EXTRA_LINE": extra_line,
        }
        arn = self.with_role(
            lambda role_arn: functions.create_function(
                FunctionName=name,
                Runtime=RUNTIME,
                Handler=HANDLER,
                Role=role_arn,
                Code={"ZipFile": code_zip()},
                MemorySize=128,
                Environment={"Variables": environment},
                **{"Timeout": _FUNCTION_TIMEOUT_S, **settings},
            )["FunctionArn"],
        )

        def is_active() -> bool | None:
            configuration = functions.get_function_configuration(FunctionName=name)
            return True if configuration.get("State", "Active") == "Active" else None

        self.eventually(is_active, what="a function to be active")
        return Function(name, arn)

    def with_role(self, create: Callable[[str], T]) -> T:
        """Create something that runs as the probe's role, as soon as that may be used.

        Args:
            create: Creates it; is given the role's ARN.

        Raises:
            NotSeenInTimeError: Lambda could not assume the role in time.
        """
        return self.eventually(lambda: self.role.used_by(create), what="a new role to be usable")

    def warm_up(self, function: Function) -> None:
        """Invoke a function once, so that the next invocation has nothing to start."""
        self.clients.functions.invoke(FunctionName=function.name)

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

    def invocations(self, function: Function) -> list[Invocation]:
        """The invocations that a function has logged so far, in the order of their time."""
        return invocations_in(self.logged(function))

    def logged(self, function: Function) -> list[str]:
        """The lines that a function has logged so far."""
        logs = self.clients.logs
        try:
            pages = logs.get_paginator("filter_log_events").paginate(
                logGroupName=f"/aws/lambda/{function.name}"
            )
            return [event["message"] for page in pages for event in page["events"]]
        except logs.exceptions.ResourceNotFoundException:
            return []  # it has logged nothing yet

    def depth(self, queue: Queue) -> int:
        """How many messages a queue holds, those in flight included."""
        attributes = self.clients.sqs.get_queue_attributes(
            QueueUrl=queue.url,
            AttributeNames=[
                "ApproximateNumberOfMessages",
                "ApproximateNumberOfMessagesDelayed",
                "ApproximateNumberOfMessagesNotVisible",
            ],
        )["Attributes"]
        return sum(int(count) for count in attributes.values())

    def allow(self, function: Function, service: str, source_arn: str) -> None:
        """Let a service invoke a function for one source."""
        self.clients.functions.add_permission(
            FunctionName=function.name,
            StatementId=f"probe-{service.partition('.')[0]}",
            Action="lambda:InvokeFunction",
            Principal=service,
            SourceArn=source_arn,
        )

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

    def received(self, queue: Queue, *, is_kept: bool = False) -> list[Mapping[str, Any]]:
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
