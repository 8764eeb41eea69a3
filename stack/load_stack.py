"""A load run's own machines on AWS: ``python -m stack.load_stack`` synthesises them.

One image, one task definition, one cluster on Fargate, and a bucket that the run's folder is put
into. Tasks are started from outside, one master and its workers; nothing here runs by itself, and
all of it goes with the run.

Context (``-c name=value``): ``stack_name``, and ``loaded``, a JSON object of what is loaded: the
outputs of its stack, and that stack's name under ``StackName``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, cast

from aws_cdk import (
    Acknowledgment,
    ArnFormat,
    CfnOutput,
    Duration,
    IgnoreMode,
    RemovalPolicy,
    Stack,
    Validations,
)
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecr_assets as ecr_assets
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3

from stack.app import new_app
from stack.handler_function import allow

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from constructs import Construct

STACK_ID = "TidemarkLoad"
MASTER_PORT = 5557
VCPU_UNITS = 1024
MEMORY_MIB = 2048
_CHECKOUT = Path(__file__).resolve().parents[1]
_DOCKERFILE = "loadtest/Dockerfile"
# What the image is made of, and nothing else of a checkout that may hold anything.
_IN_THE_IMAGE = ("loadtest", "tidemark", "LICENSE", "README.md", "pyproject.toml", "uv.lock")
_KEPT_FOR = Duration.days(7)  # if the run that is to empty the bucket never comes to it


class LoadStack(Stack):
    """Composes the machines of a load run, and names in its outputs what starts them needs."""

    def __init__(
        self,
        scope: Construct | None,
        construct_id: str,
        *,
        image: ecs.ContainerImage,
        loaded: Mapping[str, str],
        **stack_options: Any,
    ) -> None:
        """Declares the stack.

        Args:
            scope: The app.
            construct_id: The stack's id there.
            image: What master and workers run.
            loaded: The outputs of the stack that is loaded, and its name under ``StackName``.
            stack_options: What any CDK stack takes.
        """
        super().__init__(scope, construct_id, analytics_reporting=False, **stack_options)
        # A NAT gateway would cost more than the tasks: they have public addresses instead.
        vpc = ec2.Vpc(
            self,
            "Vpc",
            max_azs=1,
            nat_gateways=0,
            restrict_default_security_group=False,
            subnet_configuration=[
                ec2.SubnetConfiguration(name="Public", subnet_type=ec2.SubnetType.PUBLIC)
            ],
        )
        group = ec2.SecurityGroup(
            self, "Tasks", vpc=vpc, description="Master and workers, who reach each other alone."
        )
        group.add_ingress_rule(group, ec2.Port.tcp(MASTER_PORT), "workers to their master")
        bucket = s3.Bucket(
            self,
            "Runs",
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            encryption=s3.BucketEncryption.S3_MANAGED,
            enforce_ssl=True,
            lifecycle_rules=[s3.LifecycleRule(expiration=_KEPT_FOR)],
            removal_policy=RemovalPolicy.DESTROY,
        )
        cluster = ecs.Cluster(self, "Cluster", vpc=vpc)
        task_role = iam.Role(
            self,
            "TaskRole",
            assumed_by=iam.ServicePrincipal("ecs-tasks.amazonaws.com"),
            inline_policies={
                "permissions": iam.PolicyDocument(
                    statements=[
                        *self._permissions(loaded),
                        allow("s3:PutObject", on=[bucket.arn_for_objects("*")]),
                    ]
                )
            },
        )
        task = ecs.FargateTaskDefinition(
            self, "Task", cpu=VCPU_UNITS, memory_limit_mib=MEMORY_MIB, task_role=task_role
        )
        task.add_container(
            "Locust",
            container_name="locust",
            image=image,
            entry_point=["python", "-m", "loadtest.container"],
            environment={"RUNS_BUCKET": bucket.bucket_name},
            stop_timeout=Duration.seconds(60),
            logging=ecs.LogDriver.aws_logs(
                stream_prefix="load",
                log_group=logs.LogGroup(
                    self,
                    "Logs",
                    retention=logs.RetentionDays.ONE_WEEK,
                    removal_policy=RemovalPolicy.DESTROY,
                ),
            ),
        )
        self._acknowledge(vpc, bucket, cluster, task)
        self._acknowledge_wildcards(task_role, bucket, loaded)
        for name, value in {
            "ClusterName": cluster.cluster_name,
            "TaskDefinitionArn": task.task_definition_arn,
            "SubnetId": vpc.public_subnets[0].subnet_id,
            "SecurityGroupId": group.security_group_id,
            "RunsBucketName": bucket.bucket_name,
        }.items():
            CfnOutput(self, name, value=value)

    def _permissions(self, loaded: Mapping[str, str]) -> list[iam.PolicyStatement]:
        """What a load run asks of AWS: the API, and afterwards what it left behind."""
        api, stage = loaded["RestApiId"], loaded["ApiStage"]
        tables = [
            self._arn("dynamodb", "table", loaded[name])
            for name in ("CommandTableName", "QueryTableName")
        ]
        queues = [
            self._arn("sqs", loaded[name], "")
            for name in ("QueueName", "DeadLetterQueueName")
            if name in loaded
        ]
        return [
            allow("execute-api:Invoke", on=[self._arn("execute-api", api, f"{stage}/*")]),
            allow(
                "dynamodb:BatchGetItem",
                "dynamodb:GetItem",
                "dynamodb:Query",
                "dynamodb:Scan",
                on=[*tables, f"{tables[0]}/index/outbox"],
            ),
            # A dead letter that is looked at is received, and shown again at once.
            allow(
                "sqs:ChangeMessageVisibility",
                "sqs:GetQueueAttributes",
                "sqs:GetQueueUrl",
                "sqs:ReceiveMessage",
                on=queues,
            ),
            allow(
                "lambda:GetFunctionConfiguration",
                on=[self._arn("lambda", "function", loaded["UpdateProcessorName"], colon=True)],
            ),
            allow(
                "logs:FilterLogEvents",
                on=[self._arn("logs", "log-group", f"{loaded['StackName']}-*", colon=True)],
            ),
        ]

    def _arn(self, service: str, resource: str, name: str, *, colon: bool = False) -> str:
        if not name:
            return self.format_arn(
                service=service, resource=resource, arn_format=ArnFormat.NO_RESOURCE_NAME
            )
        separator = ArnFormat.COLON_RESOURCE_NAME if colon else ArnFormat.SLASH_RESOURCE_NAME
        return self.format_arn(
            service=service, resource=resource, resource_name=name, arn_format=separator
        )

    def _acknowledge(
        self,
        vpc: ec2.Vpc,
        bucket: s3.Bucket,
        cluster: ecs.Cluster,
        task: ecs.FargateTaskDefinition,
    ) -> None:
        for construct, rule, reason in (
            (vpc, "VPC7", "It lives as long as a load run, and nothing may come in."),
            (bucket, "S1", "One object is put into it, by one task, and it goes with the run."),
            (cluster, "ECS4", "The run itself measures its machines, second by second."),
            (task, "ECS2", "The variable is the bucket's name: no secret."),
        ):
            Validations.of(construct).acknowledge(
                Acknowledgment(id=f"AwsSolutions::AwsSolutions-{rule}", reason=reason)
            )

    def _acknowledge_wildcards(
        self, role: iam.Role, bucket: s3.Bucket, loaded: Mapping[str, str]
    ) -> None:
        everywhere = "<AWS::Region>:<AWS::AccountId>"
        bucket_id = self.get_logical_id(cast("s3.CfnBucket", bucket.node.default_child))
        for resource, reason in {
            f"arn:<AWS::Partition>:execute-api:{everywhere}:{loaded['RestApiId']}/"
            f"{loaded['ApiStage']}/*": "Any path of one API: accounts are in it.",
            f"arn:<AWS::Partition>:logs:{everywhere}:log-group:{loaded['StackName']}-*": (
                "The logs of one stack, whose names CloudFormation ends."
            ),
            f"<{bucket_id}.Arn>/*": "What it puts is named by its run.",
        }.items():
            Validations.of(role).acknowledge(
                Acknowledgment(
                    id=f"AwsSolutions::AwsSolutions-IAM5[Resource::{resource}]", reason=reason
                )
            )


def image() -> ecs.ContainerImage:
    """Returns the image of `loadtest/Dockerfile`, made when the stack is deployed."""
    kept = [f"!{name}" for name in _IN_THE_IMAGE]
    return ecs.ContainerImage.from_asset(
        str(_CHECKOUT),
        file=_DOCKERFILE,
        platform=ecr_assets.Platform.LINUX_AMD64,
        exclude=["*", *kept, "**/__pycache__"],
        ignore_mode=IgnoreMode.DOCKER,
    )


def main() -> None:
    """Synthesises what the context asks for into the folder that the CDK command line names."""
    app = new_app()
    LoadStack(
        app,
        STACK_ID,
        image=image(),
        loaded=json.loads(app.node.try_get_context("loaded")),
        stack_name=app.node.try_get_context("stack_name") or STACK_ID,
    )
    app.synth()


if __name__ == "__main__":
    main()
