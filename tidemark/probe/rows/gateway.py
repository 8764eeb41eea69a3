"""API Gateway: what it refuses, and the shape of what it says itself."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from botocore.credentials import Credentials

from tidemark.host.waiting import NotYetError
from tidemark.probe import rest_api
from tidemark.probe.observation import compare, differs, same
from tidemark.probe.row import Topic

if TYPE_CHECKING:
    from collections.abc import Callable

    from tidemark.api.exchange import Answer
    from tidemark.probe.bench import Bench
    from tidemark.probe.functions import Function
    from tidemark.probe.observation import Observation
    from tidemark.probe.rest_api import RestApi

topic = Topic("API Gateway", makes=("functions", "APIs", "stacks"))

_GUIDE = "https://docs.aws.amazon.com/apigateway/latest/developerguide"
_VALIDATION = f"{_GUIDE}/api-gateway-method-request-validation.html"
_RESPONSES = f"{_GUIDE}/supported-gateway-response-types.html"
_FORBIDDEN = "https://repost.aws/knowledge-center/api-gateway-troubleshoot-403-forbidden"
_ERRORS = "https://docs.aws.amazon.com/lambda/latest/dg/services-apigateway-errors.html"
_ANSWER = {"statusCode": 200, "headers": {}, "body": "{}"}
_STEADY_S = 2.0
_WITHIN_S = 30
_DEPTH = 100_000
_WRONG_SECRET = "wrong"  # noqa: S105 -- no secret, and wrong on purpose


def _answering(bench: Bench, function: Function | None = None) -> RestApi:
    """The probe's API, once it answers."""
    api = rest_api.deploy(bench, function or bench.function(answer=_ANSWER))
    _await_answer(bench, lambda: api.send("GET", rest_api.OPEN).status)
    return api


def _await_answer(bench: Bench, ask: Callable[[], int]) -> None:
    def probe() -> bool:
        if (status := ask()) == 200:
            return True
        raise NotYetError(f"the API answers {status}")

    bench.eventually(probe, what="the API to answer")


@topic.row(
    "request-validators",
    aws="What the API definition's validator does not allow is refused with 400 before a function "
    "sees it: a missing header, a body that does not fit.",
    documentation=_VALIDATION,
    within_s=_WITHIN_S,
    capability="request-validators",
)
def request_validators(bench: Bench) -> Observation:
    """Leave out a header, then send a body that does not fit."""
    return _validate(_answering(bench))


def _validate(api: RestApi) -> Observation:
    fitting, unfitting = b'{"amount": 1}', b'{"amount": "one"}'
    statuses = (
        _post(api, {}, fitting),
        _post(api, {rest_api.HEADER: "there"}, unfitting),
        _post(api, {rest_api.HEADER: "there"}, fitting),
    )
    said = f"header missing {statuses[0]}, body unfitting {statuses[1]}, both right {statuses[2]}"
    return compare(statuses == (400, 400, 200), said)


def _post(api: RestApi, headers: dict[str, str], body: bytes) -> int:
    headers = {"Content-Type": "application/json", **headers}
    return api.send("POST", rest_api.VALIDATED, headers=headers, body=body).status


@topic.row(
    "request-validators-by-api",
    aws="The same with validator, model and method made one by one by API calls.",
    documentation=_VALIDATION,
    within_s=_WITHIN_S,
)
def request_validators_by_api(bench: Bench) -> Observation:
    """Make a method with a validator, and send it what it does not allow."""
    function = bench.function(answer=_ANSWER)
    apigateway, api_id, root = rest_api.bare(bench)
    validator = apigateway.create_request_validator(
        restApiId=api_id, name="all", validateRequestBody=True, validateRequestParameters=True
    )["id"]
    apigateway.create_model(
        restApiId=api_id,
        name="Thing",
        contentType="application/json",
        schema=json.dumps(rest_api.THING),
    )
    resource = apigateway.create_resource(
        restApiId=api_id, parentId=root, pathPart=rest_api.VALIDATED.strip("/")
    )["id"]
    apigateway.put_method(
        restApiId=api_id,
        resourceId=resource,
        httpMethod="POST",
        authorizationType="NONE",
        requestParameters={f"method.request.header.{rest_api.HEADER}": True},
        requestModels={"application/json": "Thing"},
        requestValidatorId=validator,
    )
    apigateway.put_integration(
        restApiId=api_id,
        resourceId=resource,
        httpMethod="POST",
        type="AWS_PROXY",
        integrationHttpMethod="POST",
        uri=rest_api.integration_uri(bench, function),
    )
    api = rest_api.stage(bench, api_id, function)
    _await_answer(bench, lambda: _post(api, {rest_api.HEADER: "there"}, b'{"amount": 1}'))
    return _validate(api)


@topic.row(
    "unknown-route",
    aws='A route that does not exist: 403, {"message": "Missing Authentication Token"}, '
    "x-amzn-ErrorType MissingAuthenticationTokenException.",
    documentation=_RESPONSES,
    within_s=_WITHIN_S,
)
def unknown_route(bench: Bench) -> Observation:
    """Ask for a route that does not exist."""
    return _judge_refusal(
        _answering(bench).send("GET", "/no/such/route"), 403, "MissingAuthenticationTokenException"
    )


@topic.row(
    "unsigned-request",
    aws="An unsigned request to a method with AWS_IAM: 403, x-amzn-ErrorType "
    "MissingAuthenticationTokenException.",
    documentation=_FORBIDDEN,
    within_s=_WITHIN_S,
    capability="signatures",
)
def unsigned_request(bench: Bench) -> Observation:
    """Send an unsigned request where a signed one is needed."""
    return _judge_refusal(
        _answering(bench).send("GET", rest_api.SIGNED), 403, "MissingAuthenticationTokenException"
    )


@topic.row(
    "wrong-signature",
    aws="A request signed with a wrong secret key: 403, x-amzn-ErrorType "
    "InvalidSignatureException.",
    documentation=_FORBIDDEN,
    within_s=_WITHIN_S,
)
def wrong_signature(bench: Bench) -> Observation:
    """Send a request that is signed with a wrong secret key."""
    ours = bench.clients.credentials
    theirs = Credentials(ours.access_key if ours else "absent", _WRONG_SECRET)
    answer = _answering(bench).send("GET", rest_api.SIGNED, credentials=theirs)
    return _judge_refusal(answer, 403, "InvalidSignatureException")


@topic.row(
    "caller",
    aws="A function behind a method with AWS_IAM is told who signed: the principal's unique id, "
    "the same that GetCallerIdentity answers.",
    documentation=f"{_GUIDE}/api-gateway-mapping-template-reference.html",
    within_s=_WITHIN_S,
    capability="callers",
)
def caller(bench: Bench) -> Observation:
    """Send a signed request to a function that answers who sent it."""
    api = _answering(bench, bench.function(answer={**_ANSWER, "body": "$caller"}))
    answer = api.send("GET", rest_api.SIGNED, credentials=bench.clients.credentials)
    if answer.status != 200:
        return differs(f"refused: {answer.status}")
    told = answer.body.decode(errors="replace")
    if told == bench.clients.sts.get_caller_identity()["UserId"]:
        return same("the principal's unique id")
    return differs("nobody" if told == "nobody" else "somebody else")


def _judge_refusal(answer: Answer, status: int, kind: str) -> Observation:
    found = answer.headers.get("x-amzn-ErrorType", "").partition(":")[0] or "no x-amzn-ErrorType"
    is_same = (answer.status, found) == (status, kind)
    return compare(is_same, f"{answer.status}, {found}")


@topic.row(
    "gateway-responses",
    aws="A declared gateway response gives the gateway's own errors the declared content type "
    "and body.",
    documentation=f"{_GUIDE}/api-gateway-gatewayResponse-definition.html",
    within_s=_WITHIN_S,
)
def gateway_responses(bench: Bench) -> Observation:
    """Ask for a route that does not exist, of an API that declares how to say so."""
    answer = _answering(bench).send("GET", "/no/such/route")
    content_type = answer.headers.get("Content-Type", "none").partition(";")[0]
    is_declared = b"declared" in answer.body
    said = f"{content_type}, the {'declared' if is_declared else 'default'} body"
    is_same = is_declared and content_type == rest_api.PROBLEM
    return compare(is_same, said)


@topic.row(
    "failing-function",
    aws='A function that raises behind a proxy integration: 502, {"message": "Internal server '
    'error"}.',
    documentation=_ERRORS,
    within_s=_WITHIN_S,
)
def failing_function(bench: Bench) -> Observation:
    """Call an API whose function raises."""
    return _judge_failure(_answering(bench).send("GET", f"{rest_api.OPEN}?fail=1"), 502)


@topic.row(
    "throttled-function",
    aws='A function that is throttled behind a proxy integration: 500, {"message": "Internal '
    'server error"}.',
    documentation=_ERRORS,
    within_s=_WITHIN_S,
)
def throttled_function(bench: Bench) -> Observation:
    """Call an API whose function may not run."""
    function = bench.function(answer=_ANSWER)
    api = _answering(bench, function)
    bench.clients.functions.put_function_concurrency(
        FunctionName=function.name, ReservedConcurrentExecutions=0
    )

    def look() -> Observation:
        answer = api.send("GET", rest_api.OPEN)
        if answer.status == 200:
            raise NotYetError("the function runs")
        return _judge_failure(answer, 500)

    # The first refusal may be of an instance that is being stopped.
    return bench.settle(look, for_s=_STEADY_S, what="a refusal")


def _judge_failure(answer: Answer, status: int) -> Observation:
    try:
        message = json.loads(answer.body).get("message", "no message")
    except (ValueError, AttributeError):
        message = "no JSON"
    is_same = answer.status == status and message == "Internal server error"
    return compare(is_same, f"{answer.status}, {message}")


@topic.row(
    "any-body",
    aws="A body counts as UTF-8 text, passed on or, by a validator, refused with 400. Of one that "
    "is no UTF-8, or nested without end, the page says nothing: a 5xx is taken for a failure.",
    documentation=f"{_GUIDE}/api-gateway-payload-encodings.html",
    within_s=_WITHIN_S,
    capability="any-body",
)
def any_body(bench: Bench) -> Observation:
    """Send a body that is no UTF-8, then one that is nested without end."""
    api = _answering(bench)
    headers = {rest_api.HEADER: "there"}
    undecodable, nested = (
        _post(api, headers, body) for body in (b'{"amount": "\xff\xfe"}', b"[" * _DEPTH)
    )
    is_same = max(undecodable, nested) < 500
    said = f"no UTF-8 {_outcome(undecodable)}, nested {_outcome(nested)}"
    return compare(is_same, said)


def _outcome(status: int) -> str:
    return f"fails with {status}" if status >= 500 else "is taken or refused"
