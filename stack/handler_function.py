"""One Lambda function with its own role and its own log group."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aws_cdk import Acknowledgment, Aws, Duration, RemovalPolicy, Validations
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aws_cdk import aws_sqs as sqs

METRICS_NAMESPACE = "Tidemark"
LOG_RETENTION = logs.RetentionDays.TWO_WEEKS
RUNTIME = lambda_.Runtime.PYTHON_3_13
# Processor time grows with memory; at 512 MiB importing boto3 costs about a second of a cold start.
MEMORY_MIB = 512


@dataclass(frozen=True, kw_only=True)
class Build:
    """What all functions run.

    Attributes:
        code: The code asset.
        architecture: The processor it is for.
    """

    code: lambda_.Code
    architecture: lambda_.Architecture


def allow(
    *actions: str, on: Sequence[str], leading_keys: Sequence[str] = ()
) -> iam.PolicyStatement:
    """Returns a statement that allows exactly these actions on exactly these resources.

    Args:
        actions: The actions.
        on: The ARNs of the resources.
        leading_keys: Patterns of the partition keys that may be named, of a table or an index. All
            keys of one action go into one statement: a transaction or a batch names several, and
            each of them must match it (docs/adr/0012).
    """
    limit = {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": list(leading_keys)}}
    return iam.PolicyStatement(
        actions=list(actions), resources=list(on), conditions=limit if leading_keys else None
    )


class HandlerFunction(Construct):
    """A function that may do what it is given here, write its own log and trace: nothing else.

    Attributes:
        function: The Lambda function.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        package: str,
        build: Build,
        timeout: Duration,
        environment: Mapping[str, str],
        permissions: Sequence[iam.PolicyStatement],
        dead_letter_queue: sqs.IQueue | None = None,
    ) -> None:
        """Declares the function.

        Args:
            scope: The construct it belongs to.
            construct_id: Its id there.
            package: The package below ``functions`` that holds ``entry.handle``.
            build: The code, and the processor it was built for.
            timeout: The longest an invocation may take.
            environment: What this function needs besides what all functions get.
            permissions: What this function may do besides logging and tracing.
            dead_letter_queue: Where Lambda puts an asynchronous invocation that failed for good.
        """
        super().__init__(scope, construct_id)
        log_group = logs.LogGroup(
            self, "Logs", retention=LOG_RETENTION, removal_policy=RemovalPolicy.DESTROY
        )
        statements = [
            *permissions,
            allow(
                "logs:CreateLogStream",
                "logs:PutLogEvents",
                on=[log_group.log_group_arn],
            ),
            # X-Ray has no resource to name.
            allow("xray:PutTelemetryRecords", "xray:PutTraceSegments", on=["*"]),
        ]
        if dead_letter_queue is not None:
            statements.append(allow("sqs:SendMessage", on=[dead_letter_queue.queue_arn]))
        role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            inline_policies={"permissions": iam.PolicyDocument(statements=statements)},
        )
        self.function = lambda_.Function(
            self,
            "Function",
            runtime=RUNTIME,
            architecture=build.architecture,
            code=build.code,
            handler=f"functions.{package}.entry.handle",
            memory_size=MEMORY_MIB,
            timeout=timeout,
            environment={
                **environment,
                "STACK_NAME": Aws.STACK_NAME,
                "POWERTOOLS_SERVICE_NAME": package.replace("_", "-"),
                "POWERTOOLS_METRICS_NAMESPACE": METRICS_NAMESPACE,
            },
            # The permissions above are all there is: no construct may widen them in passing.
            role=role.without_policy_updates(),
            tracing=lambda_.Tracing.ACTIVE,
            logging_format=lambda_.LoggingFormat.JSON,
            log_group=log_group,
            dead_letter_queue=dead_letter_queue,
        )
        Validations.of(role).acknowledge(
            Acknowledgment(
                id="AwsSolutions::AwsSolutions-IAM5[Resource::*]",
                reason="X-Ray's two actions know no resource; every other statement names its own.",
            )
        )
        Validations.of(self.function).acknowledge(
            Acknowledgment(
                id="AwsSolutions::AwsSolutions-L1",
                reason="3.13 is the newest runtime that all targets have; the code runs on 3.11+.",
            )
        )
