"""The whole pattern as one stack."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aws_cdk import CfnOutput, RemovalPolicy, Stack
from aws_cdk import aws_lambda as lambda_

from stack.api import STAGE, Api
from stack.handler_function import Build
from stack.messaging import WIRINGS
from stack.observability import Observability
from stack.read_side import ReadSide
from stack.write_side import WriteSide

if TYPE_CHECKING:
    from collections.abc import Callable

    from constructs import Construct

ARCHITECTURES = {
    "x86_64": lambda_.Architecture.X86_64,
    "arm64": lambda_.Architecture.ARM_64,
}
_TOPIC_ARN = re.compile(r"arn:[\w-]+:sns:[\w-]+:\d{12}:[\w-]+")
RETENTIONS = {"destroy": RemovalPolicy.DESTROY, "retain": RemovalPolicy.RETAIN}


@dataclass(frozen=True, kw_only=True)
class Choices:
    """What a user may choose about a stack; nothing here depends on a target.

    Attributes:
        wiring: How events reach the Update Processor.
        architecture: The functions' processor architecture.
        retention: Whether the tables outlive the stack.
        alarm_topic_arn: The topic that is told of alarms; nobody is without one.
    """

    wiring: str = "queued"
    architecture: str = "x86_64"
    retention: str = "destroy"
    alarm_topic_arn: str | None = None

    def __post_init__(self) -> None:
        """Refuses what is not among the choices.

        Raises:
            ValueError: Says what was chosen and what could have been.
        """
        for name, chosen, known in (
            ("wiring", self.wiring, WIRINGS),
            ("arch", self.architecture, ARCHITECTURES),
            ("retention", self.retention, RETENTIONS),
        ):
            if chosen not in known:
                raise ValueError(f"{name}={chosen} is unknown: choose one of {', '.join(known)}.")
        arn = self.alarm_topic_arn
        if arn is not None and not _TOPIC_ARN.fullmatch(arn):
            raise ValueError(f"alarm_topic_arn={arn} is not the ARN of an SNS topic.")


class CqrsStack(Stack):
    """Composes the sides and names, in its outputs, what others may rely on."""

    def __init__(
        self,
        scope: Construct | None,
        construct_id: str,
        *,
        code: Callable[[Construct], lambda_.Code],
        choices: Choices,
        **stack_options: Any,
    ) -> None:
        """Declares the stack.

        Args:
            scope: The app.
            construct_id: The stack's id there.
            code: Given the stack, says where the functions' code is.
            choices: What the user chose.
            stack_options: What any CDK stack takes.
        """
        super().__init__(
            scope,
            construct_id,
            analytics_reporting=False,
            termination_protection=choices.retention == "retain",
            **stack_options,
        )
        build = Build(code=code(self), architecture=ARCHITECTURES[choices.architecture])
        removal_policy = RETENTIONS[choices.retention]
        messaging = WIRINGS[choices.wiring](self, "Messaging")
        write_side = WriteSide(
            self,
            "WriteSide",
            topic=messaging.topic,
            build=build,
            removal_policy=removal_policy,
        )
        read_side = ReadSide(
            self,
            "ReadSide",
            command_table=write_side.command_table,
            messaging=messaging,
            build=build,
            removal_policy=removal_policy,
        )
        api = Api(
            self,
            "Api",
            command_handler=write_side.command_handler,
            query_handler=read_side.query_handler,
        )
        Observability(
            self,
            "Observability",
            functions={
                "Command Handler": write_side.command_handler,
                "Outbox Sweeper": write_side.outbox_sweeper,
                "Update Processor": read_side.update_processor,
                "Query Handler": read_side.query_handler,
            },
            messaging=messaging,
            api=api,
            alarm_topic_arn=choices.alarm_topic_arn,
        )
        outputs = {
            "CommandTableName": write_side.command_table.table_name,
            "QueryTableName": read_side.query_table.table_name,
            "TopicArn": messaging.topic.topic_arn,
            "DeadLetterQueueName": messaging.dead_letter_queue.queue_name,
            "CommandHandlerName": write_side.command_handler.function_name,
            "UpdateProcessorName": read_side.update_processor.function_name,
            "QueryHandlerName": read_side.query_handler.function_name,
            "OutboxSweeperName": write_side.outbox_sweeper.function_name,
            "RestApiId": api.rest_api.rest_api_id,
            "ApiStage": STAGE,
            "Wiring": choices.wiring,
        }
        if messaging.queue is not None:
            outputs["QueueName"] = messaging.queue.queue_name
        if messaging.mapping is not None:
            outputs["EventSourceMappingId"] = messaging.mapping.event_source_mapping_id
        for name, value in outputs.items():
            CfnOutput(self, name, value=value)
