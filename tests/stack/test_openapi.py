"""The API's one document: a valid description, and a definition that API Gateway understands."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any

import jsonschema_rs
import pytest
import schemathesis
import yaml
from schemathesis.core.result import Ok

import stack.api
from stack.api_definition import OPENAPI, gateway_definition
from stack.app import add_stack, new_app
from stack.cqrs_stack import Choices

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.stack.conftest import Template


# https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
GATEWAY_RESPONSE_TYPES = {
    "ACCESS_DENIED",
    "API_CONFIGURATION_ERROR",
    "AUTHORIZER_CONFIGURATION_ERROR",
    "AUTHORIZER_FAILURE",
    "BAD_REQUEST_BODY",
    "BAD_REQUEST_PARAMETERS",
    "DEFAULT_4XX",
    "DEFAULT_5XX",
    "EXPIRED_TOKEN",
    "INTEGRATION_FAILURE",
    "INTEGRATION_TIMEOUT",
    "INVALID_API_KEY",
    "INVALID_SIGNATURE",
    "MISSING_AUTHENTICATION_TOKEN",
    "QUOTA_EXCEEDED",
    "REQUEST_TOO_LARGE",
    "RESOURCE_NOT_FOUND",
    "THROTTLED",
    "UNAUTHORIZED",
    "UNSUPPORTED_MEDIA_TYPE",
    "WAF_FILTERED",
}
COMMANDS = {"openAccount", "depositFunds", "withdrawFunds", "closeAccount"}
QUERIES = {"readAccount", "readStatement", "listOwnerAccounts", "readOwnerTotals"}
PROBLEM_STATUSES = {"400", "403", "429", "500", "503", "504"}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(OPENAPI.read_text())
    return content


@pytest.fixture(scope="module")
def definition() -> dict[str, Any]:
    return gateway_definition(name="A name", resolve_uri=lambda uri: f"resolved {uri}")


def operations(document: dict[str, Any]) -> dict[str, tuple[str, str, dict[str, Any]]]:
    """Returns method, path and operation by operation id."""
    return {
        operation["operationId"]: (method, path, operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
    }


def values(node: Any, key: str) -> Iterator[Any]:
    """Yields what stands at a key anywhere in a document."""
    if isinstance(node, dict):
        for name, value in node.items():
            if name == key:
                yield value
            yield from values(value, key)
    elif isinstance(node, list):
        for item in node:
            yield from values(item, key)


def test_the_document_is_valid_openapi_and_describes_every_operation() -> None:
    schema = schemathesis.openapi.from_path(OPENAPI)
    schema.validate()
    found = {
        result.ok().definition.raw["operationId"]
        for result in schema.get_all_operations()
        if isinstance(result, Ok)
    }
    assert found == COMMANDS | QUERIES


def test_every_operation_is_signed_validated_and_integrated(definition: dict[str, Any]) -> None:
    for name, (method, _, operation) in operations(definition).items():
        assert operation["security"] == [{"sigv4": []}], name
        validator = operation["x-amazon-apigateway-request-validator"]
        validates = definition["x-amazon-apigateway-request-validators"][validator]
        assert validates["validateRequestParameters"] is True
        assert validates["validateRequestBody"] is ("requestBody" in operation)
        integration = operation["x-amazon-apigateway-integration"]
        assert integration["type"] == "aws_proxy"
        assert integration["httpMethod"] == "POST"
        handler = "CommandHandler" if name in COMMANDS else "QueryHandler"
        assert integration["uri"].startswith("resolved arn:${AWS::Partition}:apigateway:")
        assert f"/functions/${{{handler}}}/invocations" in integration["uri"]
        assert method == ("post" if name in COMMANDS else "get")
    scheme = definition["components"]["securitySchemes"]["sigv4"]
    assert scheme["x-amazon-apigateway-authtype"] == "awsSigv4"


def test_the_gateway_waits_longer_than_a_function_may_take(
    queued: Template, definition: dict[str, Any]
) -> None:
    for name, (_, _, operation) in operations(definition).items():
        handler = "CommandHandlerName" if name in COMMANDS else "QueryHandlerName"
        timeout_ms = operation["x-amazon-apigateway-integration"]["timeoutInMillis"]
        assert queued.properties(handler)["Timeout"] * 1000 < timeout_ms <= 29_000


def test_every_answer_is_documented(document: dict[str, Any]) -> None:
    also = {
        "openAccount": {"202", "409", "412", "413", "422"},
        "depositFunds": {"202", "404", "409", "412", "413", "422"},
        "withdrawFunds": {"202", "404", "409", "412", "413", "422"},
        "closeAccount": {"202", "404", "409", "412", "413", "422"},
        "readAccount": {"200", "404", "409"},
        "readStatement": {"200", "404"},
        "listOwnerAccounts": {"200"},
        "readOwnerTotals": {"200"},
    }
    for name, (_, _, operation) in operations(document).items():
        assert set(operation["responses"]) == PROBLEM_STATUSES | also[name], name


def test_an_error_is_a_problem_and_a_success_is_not(definition: dict[str, Any]) -> None:
    for name, (_, _, operation) in operations(definition).items():
        for status, response in operation["responses"].items():
            kind = "application/json" if status < "300" else "application/problem+json"
            assert set(response["content"]) == {kind}, (name, status)
            if status >= "300":
                problem = {"$ref": "#/components/schemas/Problem"}
                assert response["content"][kind]["schema"] == problem


def test_a_caller_who_should_come_back_is_told_when(document: dict[str, Any]) -> None:
    with_pause = {
        name
        for name, response in document["components"]["responses"].items()
        if "Retry-After" in response.get("headers", {})
    }
    assert with_pause == {"Behind", "Busy", "OpeningConflict", "Throttled", "Unavailable"}


def test_every_response_type_of_the_gateway_is_a_problem(definition: dict[str, Any]) -> None:
    declared = definition["x-amazon-apigateway-gateway-responses"]
    assert set(declared) == GATEWAY_RESPONSE_TYPES
    problem = jsonschema_rs.validator_for(definition["components"]["schemas"]["Problem"])
    for kind, response in declared.items():
        headers = response["responseParameters"]
        assert headers["gatewayresponse.header.Content-Type"] == "'application/problem+json'"
        ((_, template),) = response["responseTemplates"].items()
        # API Gateway puts a JSON string, quotes and all, in the place of this variable.
        body = json.loads(template.replace("$context.error.messageString", '"because"'))
        problem.validate(body)
        assert body["detail"] == "because"
        if kind.startswith("DEFAULT_"):
            assert "statusCode" not in response
            assert "status" not in body
        else:
            assert response["statusCode"] == str(body["status"])


def test_examples_are_what_their_schemas_say(document: dict[str, Any]) -> None:
    checked = 0
    for holder in media_types_and_parameters(document):
        schema = {**holder["schema"], "components": document["components"]}
        examples = [item["value"] for item in holder.get("examples", {}).values()]
        if "example" in holder:
            examples.append(holder["example"])
        for example in examples:
            jsonschema_rs.validator_for(schema).validate(example)
            checked += 1
    assert checked >= 30


def media_types_and_parameters(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yields everything that has a schema and may have examples of it."""
    for media_types in values(document, "content"):
        yield from media_types.values()
    yield from document["components"]["parameters"].values()
    yield from document["components"]["headers"].values()


@pytest.mark.parametrize(
    ("name", "value", "is_valid"),
    [
        ("IdempotencyKey", "k", True),
        ("IdempotencyKey", "two words", True),
        ("IdempotencyKey", "k" * 255, True),
        ("IdempotencyKey", "", False),
        ("IdempotencyKey", " ", False),
        ("IdempotencyKey", "k" * 256, False),
        ("IdempotencyKey", "caf\u00e9", False),
        ("IfMatch", '"0"', True),
        ("IfMatch", "*", True),
        ("IfMatch", "3", False),
        ("IfMatch", '"03"', False),
        ("AccountId", "a.b_c~d-9", True),
        ("AccountId", "-a", False),
        ("AccountId", "a/b", False),
        ("AccountId", "a" * 129, False),
        ("Limit", 100, True),
        ("Limit", 0, False),
        ("Limit", 101, False),
        ("WaitMs", 5000, True),
        ("WaitMs", 5001, False),
        ("MinVersion", 0, True),
        ("MinVersion", 10**12, False),
    ],
)
def test_parameters_have_their_bounds(
    document: dict[str, Any], name: str, value: object, *, is_valid: bool
) -> None:
    schema = document["components"]["parameters"][name]["schema"]
    whole = {**schema, "components": document["components"]}
    assert jsonschema_rs.validator_for(whole).is_valid(value) is is_valid


def test_bodies_have_no_unknown_fields_and_amounts_are_exact(document: dict[str, Any]) -> None:
    whole = {"$ref": "#/components/schemas/Amount", "components": document["components"]}
    amount = jsonschema_rs.validator_for(whole)
    assert amount.is_valid({"amount": 2**53 - 1})
    for refused in ({"amount": 2**53}, {"amount": 0}, {"amount": 1.5}, {"amount": "1"}, {}):
        assert not amount.is_valid(refused), refused
    assert not amount.is_valid({"amount": 1, "currency": "EUR"})


def test_the_definition_refers_to_schemas_only_and_has_them(definition: dict[str, Any]) -> None:
    references = set(values(definition, "$ref"))
    schemas = definition["components"]["schemas"]
    assert references
    assert references <= {f"#/components/schemas/{name}" for name in schemas}
    assert set(definition["components"]) == {"schemas", "securitySchemes"}


def test_the_definition_has_nothing_that_only_people_read(definition: dict[str, Any]) -> None:
    for keyword in ("example", "examples", "tags"):
        assert not list(values(definition, keyword))


def test_model_names_are_ones_that_the_gateway_takes(document: dict[str, Any]) -> None:
    assert all(name.isalnum() for name in document["components"]["schemas"])


def test_the_stage_is_throttled_traced_and_logged(template: Template) -> None:
    (stage,) = template.resources("AWS::ApiGateway::Stage").values()
    (settings,) = stage["MethodSettings"]
    assert (settings["HttpMethod"], settings["ResourcePath"]) == ("*", "/*")
    assert settings["ThrottlingRateLimit"] > 0
    assert settings["ThrottlingBurstLimit"] > 0
    assert settings["DataTraceEnabled"] is False
    assert stage["TracingEnabled"] is True
    line = json.loads(stage["AccessLogSetting"]["Format"])
    assert line["request_id"] == "$context.requestId"  # API Gateway insists on it
    assert "authorization" not in stage["AccessLogSetting"]["Format"].lower()


def test_the_definition_is_what_api_gateway_is_given(template: Template) -> None:
    (api,) = template.resources("AWS::ApiGateway::RestApi").values()
    given = json.loads(json.dumps(api["Body"]))
    expected = gateway_definition(name="A name", resolve_uri=str)
    expected["info"]["title"] = {"Ref": "AWS::StackName"}
    for name, (_, path, operation) in operations(given).items():
        uri = operation["x-amazon-apigateway-integration"].pop("uri")["Fn::Sub"]
        handler = "CommandHandler" if name in COMMANDS else "QueryHandler"
        arn = {"Fn::GetAtt": [template.logical_id(f"{handler}Name"), "Arn"]}
        assert uri[1] == {handler: arn}, path
    for _, _, operation in operations(expected).values():
        assert operation["x-amazon-apigateway-integration"].pop("uri")
    assert given == expected


def test_a_changed_document_is_deployed_anew(
    queued: Template, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = tmp_path / "openapi.yaml"
    changed.write_text(OPENAPI.read_text().replace("maximum: 5000", "maximum: 4000"))
    monkeypatch.setattr(
        stack.api, "gateway_definition", partial(gateway_definition, document=changed)
    )
    app = new_app(tmp_path / "out")
    add_stack(app, choices=Choices())
    app.synth()
    content = json.loads((tmp_path / "out" / "Tidemark.template.json").read_text())
    before, after = (
        [
            logical_id
            for logical_id, resource in resources.items()
            if resource["Type"] == "AWS::ApiGateway::Deployment"
        ]
        for resources in (queued.content["Resources"], content["Resources"])
    )
    assert len(before) == len(after) == 1
    assert before != after
    assert set(content["Resources"]) - set(after) == set(queued.content["Resources"]) - set(before)
