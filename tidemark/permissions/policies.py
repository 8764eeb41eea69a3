"""The policies of a template: of its roles, and of the resources that others call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tidemark.permissions.statements import Statement
from tidemark.permissions.template import UnreadableTemplateError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from tidemark.permissions.template import Resource, Template

# By type, the property that names what a policy is attached to.
_ATTACHED_BY = {"AWS::SNS::TopicPolicy": "Topics", "AWS::SQS::QueuePolicy": "Queues"}
_PERMISSION = {"Action", "FunctionName", "Principal", "SourceAccount", "SourceArn"}


def statements_of_role(template: Template, role: Resource) -> list[Statement]:
    """What a role may do.

    Raises:
        UnreadableTemplateError: It has policies that the template does not show.
    """
    for hidden in ("ManagedPolicyArns", "PermissionsBoundary"):
        if hidden in role.properties:
            raise UnreadableTemplateError(
                f"{role.logical_id} has {hidden}, which the template does not show: grant by "
                "statements of its own."
            )
    documents = [policy["PolicyDocument"] for policy in role.properties.get("Policies", [])]
    documents += [
        policy.properties["PolicyDocument"]
        for policy in template.of_kind("AWS::IAM::Policy")
        if any(template.resolve(one) == role for one in policy.properties.get("Roles", []))
    ]
    return list(_statements(template, f"role {role.logical_id}", documents))


def statements_on(template: Template, resource: Resource) -> list[Statement]:
    """What the resource's own policies say: who else may call it."""
    if resource.kind == "AWS::IAM::Role":
        trust = [resource.properties["AssumeRolePolicyDocument"]]
        return list(_statements(template, f"trust of {resource.logical_id}", trust))
    if resource.kind == "AWS::Lambda::Function":
        return [
            _permission(template, permission)
            for permission in template.of_kind("AWS::Lambda::Permission")
            if template.resolve(permission.properties["FunctionName"]) == resource
        ]
    return [
        statement
        for kind, attached in _ATTACHED_BY.items()
        for policy in template.of_kind(kind)
        if any(template.resolve(one) == resource for one in policy.properties[attached])
        for statement in _statements(
            template, policy.logical_id, [policy.properties["PolicyDocument"]]
        )
    ]


def _statements(
    template: Template, where: str, documents: list[Mapping[str, Any]]
) -> Iterator[Statement]:
    declared = [one for document in documents for one in document["Statement"]]
    for number, statement in enumerate(declared, start=1):
        yield Statement.read(template, f"{where}, statement {number}", statement)


def _permission(template: Template, permission: Resource) -> Statement:
    """A function's permission, as the policy statement that Lambda makes of it.

    https://docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html
    """
    properties = permission.properties
    if unknown := properties.keys() - _PERMISSION:
        raise UnreadableTemplateError(
            f"{permission.logical_id} has {', '.join(sorted(unknown))}, which is not understood: "
            "teach it to tidemark/permissions/policies.py."
        )
    conditions = {}
    if "SourceArn" in properties:
        conditions["ArnLike"] = {"aws:SourceArn": template.texts(properties["SourceArn"])}
    if "SourceAccount" in properties:
        conditions["StringEquals"] = {
            "aws:SourceAccount": template.texts(properties["SourceAccount"])
        }
    return Statement(
        where=permission.logical_id,
        effect="Allow",
        actions=template.texts(properties["Action"]),
        resources=(template.resolve(properties["FunctionName"]).arn,),
        principals=frozenset(template.texts(properties["Principal"])),
        conditions=conditions,
    )
