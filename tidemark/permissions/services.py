"""What AWS services do with a function's role: calls that no function makes.

Each row of the table belongs to something that a template says of a function. Where it says so
the role must grant this, and where it does not the role must not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tidemark.permissions.template import UnreadableTemplateError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tidemark.permissions.template import Resource, Template


@dataclass(frozen=True, slots=True)
class Use:
    """What a service does with a function's role.

    Attributes:
        actions: The IAM actions.
        granted_on: The resource as a policy names it.
        made_on: A resource as a request names it.
        why: Who does this, and why.
    """

    actions: tuple[str, ...]
    granted_on: str
    made_on: str
    why: str


def uses_of_role(template: Template, function: Resource) -> Iterator[Use]:
    """Yield what services do with a function's role.

    Raises:
        UnreadableTemplateError: The template has an event source or a dead-letter target of a kind
            that is not known here.
    """
    properties = function.properties
    if (logging := properties.get("LoggingConfig", {})).get("LogGroup"):
        # https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html; the group is
        # the stack's, so that Lambda needs not create it.
        group = template.resolve(logging["LogGroup"])
        yield Use(
            ("logs:CreateLogStream", "logs:PutLogEvents"),
            group.arn,
            f"{group.arn.removesuffix('*')}log-stream:1",
            "Lambda writes the log",
        )
    if properties.get("TracingConfig", {}).get("Mode") == "Active":
        # https://docs.aws.amazon.com/lambda/latest/dg/services-xray.html; X-Ray knows no resource.
        yield Use(
            ("xray:PutTelemetryRecords", "xray:PutTraceSegments"),
            "*",
            "*",
            "Lambda sends traces to X-Ray, which knows no resource",
        )
    if dead_letters := properties.get("DeadLetterConfig", {}).get("TargetArn"):
        # https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
        queue = _queue(template, template.resolve(dead_letters))
        yield Use(("sqs:SendMessage",), queue.arn, queue.arn, "Lambda sends failed invocations")
    for mapping in template.of_kind("AWS::Lambda::EventSourceMapping"):
        if template.resolve(mapping.properties["FunctionName"]) == function:
            # https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
            queue = _queue(template, template.resolve(mapping.properties["EventSourceArn"]))
            yield Use(
                ("sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"),
                queue.arn,
                queue.arn,
                "the event source mapping polls",
            )


def _queue(template: Template, resource: Resource) -> Resource:
    if resource.kind != "AWS::SQS::Queue":
        raise UnreadableTemplateError(
            f"What Lambda does with {template.name(resource)}, a {resource.kind}, is not known "
            "here: teach it to tidemark/permissions/services.py."
        )
    return resource
