"""The deployed stack: what its template declares, and what of it is there."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from botocore.exceptions import ClientError

from tidemark.aws import stacks
from tidemark.probe import declared, policies
from tidemark.probe.bench import physical_ids
from tidemark.probe.cleanup import is_absent
from tidemark.probe.described import DESCRIBERS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tidemark.aws.clients import AwsClients

# What no service describes: the code is compared by running it.
_NOT_DESCRIBED = {"AWS::Lambda::Function": ("Code",)}
# By type, the property that a service is asked by, where that is not the physical id.
_ASKED_BY = {"AWS::Lambda::EventInvokeConfig": "FunctionName"}
_HASH = re.compile(r"[0-9A-F]{8}$")
_EXTENSION = "x-amazon-apigateway-"
_METHODS = ("get", "put", "post", "delete", "patch", "head", "options")


@dataclass(frozen=True)
class DeployedStack:
    """A deployed stack.

    Attributes:
        clients: The target's.
        resources: The resources of its template, by logical id.
        ids: Their physical ids.
    """

    clients: AwsClients
    resources: Mapping[str, Any]
    ids: Mapping[str, str]

    @classmethod
    def of(cls, clients: AwsClients, stack_name: str) -> Self:
        """The stack of that name."""
        template = stacks.live_template(clients, stack_name)
        return cls(clients, template["Resources"], physical_ids(clients, stack_name))

    def of_type(self, *types: str) -> Mapping[str, Any]:
        """The resources of some types, by logical id."""
        return {name: one for name, one in self.resources.items() if one["Type"] in types}

    def find_dropped(self, *types: str) -> Mapping[str, list[str]]:
        """The properties of resources of some types that did not arrive, and whose they are."""
        found: defaultdict[str, list[str]] = defaultdict(list)
        for name, resource in self.of_type(*types).items():
            kind = resource["Type"]
            properties = {
                key: value
                for key, value in resource.get("Properties", {}).items()
                if key not in _NOT_DESCRIBED.get(kind, ())
            }
            described = self._describe(kind, name)
            for path in declared.missing(properties, described):
                found[path].append(short(name))
        return found

    def _describe(self, kind: str, name: str) -> dict[str, Any]:
        asked_by = _ASKED_BY.get(kind)
        properties = self.resources[name].get("Properties", {})
        identity = self.physical_id(properties[asked_by]) if asked_by else self.ids[name]
        try:
            return DESCRIBERS[kind](self.clients, identity)
        except ClientError as error:
            if is_absent(error):
                return {}  # then every property of it is dropped
            raise

    def physical_id(self, reference: Any) -> str:
        """The physical id that a reference in the template stands for."""
        [(kind, value)] = reference.items()
        name = value[0] if kind == "Fn::GetAtt" else value
        return self.ids[str(name).partition(".")[0]]

    def find_dropped_policies(self) -> Iterator[str]:
        """What of queue, topic and function policies did not arrive."""
        for name, resource in self.of_type("AWS::SQS::QueuePolicy").items():
            wanted = resource["Properties"]["PolicyDocument"]["Statement"]
            for queue in resource["Properties"]["Queues"]:
                there = DESCRIBERS["AWS::SQS::Queue"](self.clients, self.physical_id(queue))
                yield from self._dropped_statements(name, wanted, there.get("Policy", {}))
        for name, resource in self.of_type("AWS::SNS::TopicPolicy").items():
            wanted = resource["Properties"]["PolicyDocument"]["Statement"]
            for topic in resource["Properties"]["Topics"]:
                there = DESCRIBERS["AWS::SNS::Topic"](self.clients, self.physical_id(topic))
                policy = json.loads(there.get("Policy", "{}"))
                yield from self._dropped_statements(name, wanted, policy)
        for name, resource in self.of_type("AWS::Lambda::Permission").items():
            function = self.physical_id(resource["Properties"]["FunctionName"])
            statement = policies.of_permission(resource["Properties"])
            yield from self._dropped_statements(name, [statement], self._policy_of(function))

    def _dropped_statements(
        self, name: str, wanted: Iterable[Mapping[str, Any]], policy: Mapping[str, Any]
    ) -> Iterator[str]:
        for statement in wanted:
            missing = policies.missing(statement, policy.get("Statement", []), self.ids)
            if missing is None:
                yield short(name)
            elif missing:
                yield f"{', '.join(missing)} of {short(name)}"

    def _policy_of(self, function: str) -> Mapping[str, Any]:
        functions = self.clients.functions
        try:
            return dict(json.loads(functions.get_policy(FunctionName=function)["Policy"]))
        except functions.exceptions.ResourceNotFoundException:
            return {}

    def find_dropped_from_stages(self) -> Iterator[str]:
        """The settings of API stages and their deployments that did not arrive."""
        apigateway = self.clients.client("apigateway")
        for name, resource in self.of_type("AWS::ApiGateway::Deployment").items():
            api_id = self.physical_id(resource["Properties"]["RestApiId"])
            found = apigateway.get_deployment(restApiId=api_id, deploymentId=self.ids[name])
            yield from declared.missing(resource["Properties"], {**found, "RestApiId": api_id})
        for name, resource in self.of_type("AWS::ApiGateway::Stage").items():
            properties = dict(resource["Properties"])
            api_id = self.physical_id(properties["RestApiId"])
            found = dict(apigateway.get_stage(restApiId=api_id, stageName=self.ids[name]))
            found["AccessLogSetting"] = found.get("accessLogSettings")
            found["RestApiId"] = api_id
            settings = properties.pop("MethodSettings", [])
            yield from declared.missing(properties, found)
            for setting in settings:
                path = f"{setting['ResourcePath'].strip('/')}/{setting['HttpMethod']}"
                deployed = found.get("methodSettings", {}).get(path)
                wanted = {
                    key: value
                    for key, value in setting.items()
                    if key not in ("ResourcePath", "HttpMethod")
                }
                yield from declared.missing(wanted, deployed, f"MethodSettings {path}")

    def find_dropped_from_definitions(self) -> Iterator[str]:
        """What of API definitions did not arrive."""
        apigateway = self.clients.client("apigateway")
        for name, resource in self.of_type("AWS::ApiGateway::RestApi").items():
            properties = dict(resource["Properties"])
            body = properties.pop("Body", {})
            api_id = self.ids[name]
            yield from declared.missing(properties, apigateway.get_rest_api(restApiId=api_id))
            responses = {
                one["responseType"]
                for one in apigateway.get_gateway_responses(restApiId=api_id)["items"]
                if not one.get("defaultResponse")
            }
            if set(body.get(f"{_EXTENSION}gateway-responses", {})) - responses:
                yield "gateway responses"
            models = {one["name"] for one in apigateway.get_models(restApiId=api_id)["items"]}
            if set(body.get("components", {}).get("schemas", {})) - models:
                yield "models"
            deployed = {
                (one["path"], method): details
                for one in apigateway.get_resources(restApiId=api_id, embed=["methods"], limit=500)[
                    "items"
                ]
                for method, details in one.get("resourceMethods", {}).items()
            }
            yield from _dropped_from_methods(body, deployed)


def _dropped_from_methods(
    body: Mapping[str, Any], deployed: Mapping[tuple[str, str], Mapping[str, Any]]
) -> Iterator[str]:
    wanted = {
        (path, method.upper()): operation
        for path, operations in body.get("paths", {}).items()
        for method, operation in operations.items()
        if method in _METHODS
    }
    if set(wanted) - set(deployed):
        yield "methods"
    there = [(operation, deployed[key]) for key, operation in wanted.items() if key in deployed]
    default = body.get(f"{_EXTENSION}request-validator")
    if any(
        operation.get(f"{_EXTENSION}request-validator", default)
        and not method.get("requestValidatorId")
        for operation, method in there
    ):
        yield "request validators"
    if any(
        "requestBody" in operation and not method.get("requestModels")
        for operation, method in there
    ):
        yield "request models of methods"
    is_secured = bool(body.get("security"))
    if any(
        operation.get("security", is_secured) and method.get("authorizationType") == "NONE"
        for operation, method in there
    ):
        yield "authorization"


def short(logical_id: str) -> str:
    """A logical id without the hash that the CDK appends."""
    return _HASH.sub("", logical_id)
