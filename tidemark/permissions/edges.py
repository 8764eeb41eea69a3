"""Who calls whom without a role: each such edge needs a policy of the resource that is called."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tidemark.permissions.statements import Request
from tidemark.permissions.template import ACCOUNT, UnreadableTemplateError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tidemark.permissions.template import Resource, Template

_ANOTHER_ACCOUNT = "444455556666"
_ANOTHER_SERVICE = "another.amazonaws.com"
_INVOKED_ARN = re.compile(r".*/functions/(?P<arn>arn:[^/]+)/invocations")


@dataclass(frozen=True)
class Edge:
    """A service that calls a resource by itself.

    Attributes:
        service: Who calls.
        occasion: When it does, for people.
        resource: The resource that is called.
        request: The call.
        other_sources: Sources on whose behalf the service must not call; empty where a call does
            not say on whose behalf it is made.
    """

    service: str
    occasion: str
    resource: Resource
    request: Request
    other_sources: tuple[str, ...] = ()

    @property
    def strangers(self) -> Iterator[tuple[str, Request]]:
        """Calls like this one that must not be allowed, each with who makes it."""
        yield "another service", replace(self.request, principal=_ANOTHER_SERVICE)
        for source in self.other_sources:
            account = _ANOTHER_ACCOUNT if _ANOTHER_ACCOUNT in source else ACCOUNT
            yield source, replace(self.request, context=_context(source, account))


def edges_of(template: Template) -> Iterator[Edge]:
    """Yield every edge of a stack.

    Raises:
        UnreadableTemplateError: The template has an edge of a kind that is not known here.
    """
    yield from _to_roles(template)
    yield from _from_api_gateway(template)
    yield from _from_topics(template)
    yield from _from_rules(template)


def _to_roles(template: Template) -> Iterator[Edge]:
    for function in template.of_kind("AWS::Lambda::Function"):
        role = template.resolve(function.properties["Role"])
        request = Request("sts:AssumeRole", role.arn, "lambda.amazonaws.com", _context())
        yield Edge("Lambda", f"to run {template.name(function)}", role, request)


def _from_api_gateway(template: Template) -> Iterator[Edge]:
    for stage in template.of_kind("AWS::ApiGateway::Stage"):
        api = template.resolve(stage.properties["RestApiId"])
        for path, operations in api.properties["Body"]["paths"].items():
            for method, operation in operations.items():
                integration = operation.get("x-amazon-apigateway-integration")
                if integration is None:
                    continue
                found = _INVOKED_ARN.fullmatch(template.text(integration["uri"]))
                if found is None:
                    raise _unknown(f"{method.upper()} {path}, which invokes no function")
                # As a caller, the route is named with a wildcard for each of its parameters.
                route = re.sub(r"\{[^}]+\}", "*", path)
                name = template.text(stage.properties["StageName"])
                yield _invocation(
                    template,
                    ("API Gateway", f"{method.upper()} {path}"),
                    found["arn"],
                    "apigateway.amazonaws.com",
                    f"{api.arn}/{name}/{method.upper()}{route}",
                    (
                        f"{_others(api)[0]}/{name}/{method.upper()}{route}",
                        f"{_others(api)[1]}/{name}/{method.upper()}{route}",
                        f"{api.arn}/{name}/ANOTHER{route}",
                        f"{api.arn}/another/{method.upper()}{route}",
                    ),
                )


def _from_topics(template: Template) -> Iterator[Edge]:
    for subscription in template.of_kind("AWS::SNS::Subscription"):
        topic = template.resolve(subscription.properties["TopicArn"])
        endpoint = template.resolve(subscription.properties["Endpoint"])
        edge = ("SNS", f"messages of {template.name(topic)}")
        match subscription.properties["Protocol"]:
            case "lambda":
                yield _invocation(
                    template, edge, endpoint.arn, "sns.amazonaws.com", topic.arn, _others(topic)
                )
            case "sqs":
                request = Request(
                    "sqs:SendMessage", endpoint.arn, "sns.amazonaws.com", _context(topic.arn)
                )
                yield Edge(*edge, endpoint, request, _others(topic))
            case protocol:
                raise _unknown(f"a subscription by {protocol}")


def _from_rules(template: Template) -> Iterator[Edge]:
    for rule in template.of_kind("AWS::Events::Rule"):
        for target in rule.properties["Targets"]:
            yield _invocation(
                template,
                ("EventBridge", f"rule {template.name(rule)}"),
                template.text(target["Arn"]),
                "events.amazonaws.com",
                rule.arn,
                _others(rule),
            )


def _invocation(
    template: Template,
    edge: tuple[str, str],
    arn: str,
    principal: str,
    source: str,
    other_sources: tuple[str, ...],
) -> Edge:
    for function in template.of_kind("AWS::Lambda::Function"):
        if function.arn == arn:
            request = Request("lambda:InvokeFunction", arn, principal, _context(source))
            return Edge(*edge, function, request, other_sources)
    raise _unknown(f"{' on '.join(edge)}, which is to call {arn},")


def _others(source: Resource) -> tuple[str, str]:
    """The same in another account, and another one in this account."""
    return (
        source.arn.replace(ACCOUNT, _ANOTHER_ACCOUNT),
        source.arn.replace(source.logical_id, "Another"),
    )


def _context(source_arn: str = "", account: str = ACCOUNT) -> dict[str, tuple[str, ...]]:
    context: dict[str, tuple[str, ...]] = {
        "aws:SecureTransport": ("true",),
        "aws:SourceAccount": (account,),
    }
    return context | ({"aws:SourceArn": (source_arn,)} if source_arn else {})


def _unknown(what: str) -> UnreadableTemplateError:
    return UnreadableTemplateError(
        f"What {what} takes is not known here: teach it to tidemark/permissions/edges.py."
    )
