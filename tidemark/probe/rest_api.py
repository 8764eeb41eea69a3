"""A REST API of a row's own, in front of a function of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tidemark import targets
from tidemark.api.exchange import Headers, Request
from tidemark.api.httpx_transport import HttpxTransport
from tidemark.api.signing import sign
from tidemark.probe.names import unique_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from botocore.credentials import Credentials

    from tidemark.api.exchange import Answer
    from tidemark.probe.bench import Bench
    from tidemark.probe.functions import Function

STAGE = "probe"
THING = {"type": "object", "required": ["amount"], "properties": {"amount": {"type": "integer"}}}
"""What a validated body has to be."""

VALIDATED = "/validated"
OPEN = "/open"
SIGNED = "/signed"
HEADER = "X-Needed"
PROBLEM = "application/problem+json"
# Some targets try a throttled function again and again before they answer.
_TIMEOUT_S = 25.0


@dataclass(frozen=True, slots=True)
class RestApi:
    """A deployed REST API.

    Attributes:
        url: Its base URL, without a trailing slash.
        bench: The workbench that it belongs to.
    """

    url: str
    bench: Bench

    def send(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        credentials: Credentials | None = None,
    ) -> Answer:
        """Send a request, unsigned if no credentials are given.

        Args:
            method: The HTTP method.
            path: The path below the stage.
            headers: The headers.
            body: The body.
            credentials: What to sign it with.
        """
        request = Request(method, self.url + path, Headers(headers or {}), body)
        connection = self.bench.clients.connection
        if credentials is not None:
            request = sign(request, credentials=credentials, region=connection.region)
        with HttpxTransport(timeout_s=_TIMEOUT_S, ca_bundle=connection.ca_bundle) as transport:
            return transport(request)


def deploy(bench: Bench, function: Function) -> RestApi:
    """Deploy the probe's API definition in front of a function, as stacks do."""
    api = {
        "Type": "AWS::ApiGateway::RestApi",
        "Properties": {"Name": unique_name(), "Body": _definition(bench, function)},
    }
    deployment = {
        "Type": "AWS::ApiGateway::Deployment",
        "Properties": {"RestApiId": {"Ref": "Api"}},
    }
    stage = {
        "Type": "AWS::ApiGateway::Stage",
        "Properties": {
            "RestApiId": {"Ref": "Api"},
            "DeploymentId": {"Ref": "Deployment"},
            "StageName": STAGE,
        },
    }
    ids = bench.stack({"Api": api, "Deployment": deployment, "Stage": stage})
    return _let_call(bench, ids["Api"], function)


def bare(bench: Bench) -> tuple[Any, str, str]:
    """Make an API without a definition: the client, the API's id and its root's id."""
    apigateway = bench.clients.client("apigateway")
    api_id = apigateway.create_rest_api(name=unique_name())["id"]
    bench.leftovers.owe_made(f"API {api_id}", lambda: apigateway.delete_rest_api(restApiId=api_id))
    [root] = apigateway.get_resources(restApiId=api_id)["items"]
    return apigateway, api_id, root["id"]


def stage(bench: Bench, api_id: str, function: Function) -> RestApi:
    """Deploy an API to a stage, and let it invoke a function."""
    bench.clients.client("apigateway").create_deployment(restApiId=api_id, stageName=STAGE)
    return _let_call(bench, api_id, function)


def _let_call(bench: Bench, api_id: str, function: Function) -> RestApi:
    region, account = function.arn.split(":")[3:5]
    source_arn = f"arn:aws:execute-api:{region}:{account}:{api_id}/*"
    bench.allow(function, "apigateway.amazonaws.com", source_arn)
    target = targets.of_deployment(bench.deployment)
    return RestApi(target.api_url(bench.clients.connection, api_id, STAGE), bench)


def integration_uri(bench: Bench, function: Function) -> str:
    """What an API calls a function by."""
    region = bench.clients.connection.region
    return (
        f"arn:aws:apigateway:{region}:lambda:path/2015-03-31/functions/{function.arn}/invocations"
    )


def _definition(bench: Bench, function: Function) -> dict[str, Any]:
    integration = {
        "x-amazon-apigateway-integration": {
            "type": "aws_proxy",
            "httpMethod": "POST",
            "uri": integration_uri(bench, function),
        },
        "responses": {"200": {"description": "ok"}},
    }
    return {
        "openapi": "3.0.1",
        "info": {"title": unique_name(), "version": "1"},
        "paths": {
            OPEN: {"get": integration},
            SIGNED: {"get": {**integration, "security": [{"sigv4": []}]}},
            VALIDATED: {
                "post": {
                    **integration,
                    "x-amazon-apigateway-request-validator": "all",
                    "parameters": [
                        {
                            "name": HEADER,
                            "in": "header",
                            "required": True,
                            "schema": {"type": "string"},
                        }
                    ],
                    "requestBody": {
                        "required": True,
                        "content": {
                            "application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}
                        },
                    },
                }
            },
        },
        "components": {
            "schemas": {"Thing": THING},
            "securitySchemes": {
                "sigv4": {
                    "type": "apiKey",
                    "name": "Authorization",
                    "in": "header",
                    "x-amazon-apigateway-authtype": "awsSigv4",
                }
            },
        },
        "x-amazon-apigateway-request-validators": {
            "all": {"validateRequestBody": True, "validateRequestParameters": True}
        },
        "x-amazon-apigateway-gateway-responses": {
            "DEFAULT_4XX": {
                "responseParameters": {"gatewayresponse.header.Content-Type": f"'{PROBLEM}'"},
                "responseTemplates": {"application/json": '{"title":"declared"}'},
            }
        },
    }
