"""A resource lets in the services that call it, nobody else, and nobody in plain HTTP."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tidemark.permissions.edges import edges_of
from tidemark.permissions.objections import Grant, Row
from tidemark.permissions.policies import statements_on
from tidemark.permissions.statements import SECURE, Request, is_allowed, is_denied

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tidemark.permissions.conditions import Context
    from tidemark.permissions.edges import Edge
    from tidemark.permissions.objections import Proof
    from tidemark.permissions.statements import Statement
    from tidemark.permissions.template import Resource, Template

_INSECURE: Context = {"aws:SecureTransport": ("false",)}
# What can be done with messages, by the type of what holds them.
_MESSAGING = {
    "AWS::SNS::Topic": ("sns:Publish",),
    "AWS::SQS::Queue": (
        "sqs:ChangeMessageVisibility",
        "sqs:DeleteMessage",
        "sqs:ReceiveMessage",
        "sqs:SendMessage",
    ),
}


def prove_edges(template: Template, proof: Proof) -> None:
    """See that each service that calls without a role may, and that nobody else may.

    Raises:
        TidemarkError: The template says something that is not understood here.
    """
    edges = list(edges_of(template))
    for edge in edges:
        granting = statements_on(template, edge.resource)
        is_covered = is_allowed(edge.request, granting)
        grant = Grant(edge.request.action, template.name(edge.resource))
        proof.rows.append(Row(edge.service, grant, edge.occasion, is_covered))
        if not is_covered:
            proof.object("uncovered", f"{edge.service} lacks {grant} ({edge.occasion})")
        for who, request in edge.strangers:
            if is_allowed(request, granting):
                said = f"{edge.service} has {grant} for {who}, too ({edge.occasion})"
                proof.object("open", said)
    for resource in template.resources.values():
        for one in statements_on(template, resource):
            if one.effect == "Allow" and not _is_used(one, resource, edges):
                said = f"{one.where} allows {', '.join(one.actions)} to nobody that calls"
                proof.object("unused", said)


def prove_transport(template: Template, proof: Proof) -> None:
    """See that topics and queues deny plain HTTP to everyone, and nothing else."""
    for kind, actions in _MESSAGING.items():
        for resource in template.of_kind(kind):
            denying = [one for one in statements_on(template, resource) if one.effect == "Deny"]
            insecure = [Request(one, resource.arn, context=_INSECURE) for one in actions]
            for request in insecure:
                is_closed = is_denied(request, denying)
                grant = Grant(request.action, template.name(resource))
                why = "insecure transport must be denied"
                proof.rows.append(Row("anyone", grant, why, is_closed))
                if not is_closed:
                    proof.object("open", f"{grant} is possible in plain HTTP")
                if is_denied(replace(request, context=SECURE), denying):
                    proof.object("denied", f"anyone is denied {grant}")
            for one in denying:
                if not any(map(one.concerns, insecure)):
                    proof.object("unused", f"{one.where} denies nothing that is insecure")


def _is_used(statement: Statement, resource: Resource, edges: Iterable[Edge]) -> bool:
    """Whether a resource's statement is about that resource, and each action what an edge needs."""
    requests = [edge.request for edge in edges if edge.resource == resource]
    return {*statement.resources} <= {resource.arn} and all(
        any(one.action == action and statement.concerns(one) for one in requests)
        for action in statement.actions
    )
