"""Policy statements, and what they say about a request."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from tidemark.permissions import conditions
from tidemark.permissions.conditions import like, like_arn
from tidemark.permissions.template import UnreadableTemplateError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tidemark.permissions.conditions import Conditions, Context
    from tidemark.permissions.template import Template

ANYONE = ANYTHING = "*"
SECURE: Context = {"aws:SecureTransport": ("true",)}
"""What every request has that is made by HTTPS."""
_READ = {"Action", "Condition", "Effect", "Principal", "Resource", "Sid"}


@dataclass(frozen=True)
class Statement:
    """A statement of a policy, with names and ARNs filled in.

    Attributes:
        where: Where it stands in the template, for people.
        effect: `Allow` or `Deny`.
        actions: What it is about; patterns.
        resources: On what; patterns. Empty where the policy is the resource's own trust policy.
        principals: Whom; empty in a role's own policy, which is about the role.
        conditions: Under which conditions.
    """

    where: str
    effect: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    principals: frozenset[str] = frozenset()
    conditions: Conditions = field(default_factory=dict)

    @classmethod
    def read(cls, template: Template, where: str, declared: Mapping[str, Any]) -> Self:
        """Read a statement of a template.

        Raises:
            UnreadableTemplateError: It has an element or a policy variable, which is not known
                here.
        """
        if unknown := declared.keys() - _READ:
            raise UnreadableTemplateError(
                f"{where} has {', '.join(sorted(unknown))}, which is not understood: teach it to "
                "tidemark/permissions/statements.py."
            )
        actions = template.texts(declared["Action"])
        resources = template.texts(declared.get("Resource", []))
        for pattern in (*actions, *resources):
            if "${" in pattern:
                raise UnreadableTemplateError(
                    f"{where} has {pattern}, a policy variable, which is not known here: teach it "
                    "to tidemark/permissions/statements.py."
                )
        return cls(
            where=where,
            effect=declared["Effect"],
            actions=actions,
            resources=resources,
            principals=_principals(template, declared.get("Principal", {})),
            conditions={
                operator: {key: template.texts(value) for key, value in keys.items()}
                for operator, keys in declared.get("Condition", {}).items()
            },
        )

    def concerns(self, request: Request) -> bool:
        """Whether it is about a request: its principal, action, resource and conditions."""
        # First, so that an unknown condition is noticed wherever it stands.
        is_met = conditions.hold(self.conditions, request.context)
        if self.principals and not self.principals & {ANYONE, request.principal}:
            return False
        # Letters of actions count alike in upper and lower case, those of resources do not.
        is_meant = any(like(one.lower(), request.action.lower()) for one in self.actions)
        names = any(_names(one, request.resource) for one in self.resources)
        return is_met and is_meant and (names or not self.resources)


@dataclass(frozen=True)
class Request:
    """A request as AWS authorises it.

    Attributes:
        action: What is to be done.
        resource: To what, an ARN.
        principal: Who asks, where that is a service; a role asks through its own policy.
        context: The values of the condition keys.
    """

    action: str
    resource: str
    principal: str = ""
    context: Context = field(default_factory=dict)


def is_allowed(request: Request, statements: Iterable[Statement]) -> bool:
    """Whether a statement allows a request and none denies it."""
    effects = {one.effect for one in statements if one.concerns(request)}
    return effects == {"Allow"}


def is_denied(request: Request, statements: Iterable[Statement]) -> bool:
    """Whether a statement denies a request, whoever else allows it."""
    return any(one.effect == "Deny" and one.concerns(request) for one in statements)


def _principals(template: Template, declared: Any) -> frozenset[str]:
    if declared == ANYONE:
        return frozenset({ANYONE})
    return frozenset(one for value in declared.values() for one in template.texts(value))


def _names(pattern: str, resource: str) -> bool:
    """Whether a pattern names a resource; of an ARN, a wildcard ends with its part.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
    """
    return pattern in (ANYTHING, resource) or like_arn(pattern, resource)
