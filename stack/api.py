"""The REST API: ``openapi.yaml``, its stage, and the permission to call the functions."""

from __future__ import annotations

import json

from aws_cdk import Acknowledgment, Aws, Fn, RemovalPolicy, Validations
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from stack.api_definition import gateway_definition
from stack.handler_function import LOG_RETENTION

STAGE = "v1"
# Bounds what a runaway caller costs. It does not keep the tables from throttling: a new on-demand
# table takes 4,000 write units a second and a command costs the Command table eight, so that 500
# commands a second are its end, half of what the stage lets in. Who reads as well stays below it:
# with four reads to a write, 1,000 requests are 200 commands.
RATE_LIMIT_PER_S = 1_000
BURST_LIMIT = 500

# No header, token or body: a log line names a request, its route and how it went.
_ACCESS_LOG_LINE = {
    "request_id": "$context.requestId",
    "trace": "$context.xrayTraceId",
    "requested_at": "$context.requestTime",
    "caller": "$context.identity.userArn",
    "method": "$context.httpMethod",
    "route": "$context.resourcePath",
    "path": "$context.path",
    "status": "$context.status",
    "latency_ms": "$context.responseLatency",
    "integration_latency_ms": "$context.integrationLatency",
    "integration_status": "$context.integrationStatus",
    "integration_error": "$context.integrationErrorMessage",
    "gateway_response": "$context.error.responseType",
    "length_bytes": "$context.responseLength",
}


class Api(Construct):
    """Commands and queries over HTTP, for callers that AWS knows (SigV4).

    Attributes:
        rest_api: The API.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        command_handler: lambda_.Function,
        query_handler: lambda_.Function,
    ) -> None:
        super().__init__(scope, construct_id)
        arns = {
            "CommandHandler": command_handler.function_arn,
            "QueryHandler": query_handler.function_arn,
        }

        def with_arns(uri: str) -> str:
            return Fn.sub(uri, {name: arn for name, arn in arns.items() if f"${{{name}}}" in uri})

        access_log = logs.LogGroup(
            self, "AccessLog", retention=LOG_RETENTION, removal_policy=RemovalPolicy.DESTROY
        )
        self.rest_api = apigateway.SpecRestApi(
            self,
            "RestApi",
            api_definition=apigateway.ApiDefinition.from_inline(
                gateway_definition(name=Aws.STACK_NAME, resolve_uri=with_arns)
            ),
            # Its metrics are told apart by its name alone, so stacks must not share one: it is
            # called like its stack, here and in the definition.
            rest_api_name=Aws.STACK_NAME,
            endpoint_types=[apigateway.EndpointType.REGIONAL],
            # The role with which API Gateway writes logs belongs to the account, not to a stack.
            cloud_watch_role=False,
            deploy_options=apigateway.StageOptions(
                stage_name=STAGE,
                throttling_rate_limit=RATE_LIMIT_PER_S,
                throttling_burst_limit=BURST_LIMIT,
                tracing_enabled=True,
                access_log_destination=apigateway.LogGroupLogDestination(access_log),
                access_log_format=apigateway.AccessLogFormat.custom(json.dumps(_ACCESS_LOG_LINE)),
            ),
        )
        # The URL has no place among the outputs: its host does not exist on an emulator.
        self.rest_api.node.try_remove_child("Endpoint")
        for name, handler, method in (
            ("CommandHandler", command_handler, "POST"),
            ("QueryHandler", query_handler, "GET"),
        ):
            lambda_.CfnPermission(
                self,
                f"Invoke{name}",
                action="lambda:InvokeFunction",
                function_name=handler.function_arn,
                principal="apigateway.amazonaws.com",
                source_arn=self.rest_api.arn_for_execute_api(method, "/*", STAGE),
            )
        Validations.of(self.rest_api).acknowledge(
            Acknowledgment(
                id="AwsSolutions::AwsSolutions-APIG2",
                reason="The validators are in openapi.yaml, which is where the rule does not look.",
            ),
            Acknowledgment(
                id="AwsSolutions::AwsSolutions-APIG3",
                reason="Every route wants SigV4, so only principals of the account get past the"
                " gateway; a web ACL costs more per month than the idle stack.",
            ),
            Acknowledgment(
                id="AwsSolutions::AwsSolutions-APIG6",
                reason="Access logs have every request. Execution logs would go to a group that"
                " the stack cannot own or expire, and hold headers.",
            ),
        )
