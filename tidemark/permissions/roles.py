"""A role grants what its function calls and what services do with it: that, and no more."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tidemark.errors import TidemarkError
from tidemark.permissions.objections import Grant, Row, readable
from tidemark.permissions.policies import statements_of_role, statements_on
from tidemark.permissions.services import uses_of_role
from tidemark.permissions.statements import SECURE, Request, is_allowed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tidemark.permissions.call_log import Call
    from tidemark.permissions.conditions import Context
    from tidemark.permissions.objections import Proof
    from tidemark.permissions.statements import Statement
    from tidemark.permissions.template import Resource, Template

LEADING_KEYS = "dynamodb:LeadingKeys"

# With these operators, leading keys are limited to the patterns that follow.
_LIMITING = ("ForAllValues:StringEquals", "ForAllValues:StringLike")
# What stands for the wildcard of a pattern: ids and idempotency keys may hold such.
_SAMPLES = ("0", "zZ.9~_-", "a#b c/?*")
_CALLED = "called"
_NO_STRING = "called; its partition key is a number, with no leading keys to compare"


@dataclass(frozen=True, slots=True)
class Need:
    """What a function's role must grant, and no more than that.

    Attributes:
        grant: What is needed, as narrow as a policy can say it.
        requests: Requests that it comes to.
        why: Who asks for it.
    """

    grant: Grant
    requests: tuple[Request, ...]
    why: str


def prove_role(template: Template, function: Resource, calls: Iterable[Call], proof: Proof) -> None:
    """See that a function's role grants what is needed, and that all it grants is needed.

    Args:
        template: The template.
        function: The function.
        calls: What the function was seen to call.
        proof: Where to say so.

    Raises:
        TidemarkError: The template or the calls say something that is not understood here.
    """
    who = template.name(function)
    needs = [
        *(_need_of_call(template, one) for one in calls),
        *_needs_of_services(template, function),
    ]
    role = template.resolve(function.properties["Role"])
    granting = statements_of_role(template, role)
    for need in needs:
        on_resource = _policies_of(template, need.grant.resource)
        is_covered = all(is_allowed(one, [*granting, *on_resource]) for one in need.requests)
        proof.rows.append(Row(who, readable(template, need.grant), need.why, is_covered))
        if not is_covered:
            proof.object("denied", f"{who} is denied {readable(template, need.grant)} ({need.why})")
    needed = {need.grant for need in needs}
    granted = Counter(grant for one in granting for grant in _grants(one))
    for grant, times in granted.items():
        said = f"{who} is granted {readable(template, grant)}"
        if grant not in needed:
            proof.object("unused", f"{said}, and nothing was seen to need just that")
        elif times > 1:
            proof.object("unused", f"{said} {times} times")
    for one in granting:
        if one.effect != "Allow":
            denied = ", ".join(one.actions)
            proof.object("unused", f"{one.where} denies {denied}: {who} needs no denial")


def find_roles_of_nobody(template: Template, functions: Iterable[Resource], proof: Proof) -> None:
    """See that there is no role but those of the functions."""
    used = {template.resolve(one.properties["Role"]).logical_id for one in functions}
    for role in template.of_kind("AWS::IAM::Role"):
        if role.logical_id not in used:
            proof.object("unused", f"role {role.logical_id} is no function's")


def _need_of_call(template: Template, call: Call) -> Need:
    name, slash, index = call.resource.partition("/")
    if name not in template.named:
        raise TidemarkError(
            f"The call log names {call.resource}, which the template does not have."
        )
    arn = template.named[name].arn + slash + index
    contexts: list[Context] = [SECURE]
    if call.leading_key:
        contexts = [
            {**SECURE, LEADING_KEYS: (call.leading_key.replace("*", sample),)}
            for sample in _SAMPLES
        ]
    is_item = call.action.startswith("dynamodb:")
    return Need(
        Grant(call.action, arn, call.leading_key),
        tuple(Request(call.action, arn, context=context) for context in contexts),
        _NO_STRING if is_item and not call.leading_key else _CALLED,
    )


def _needs_of_services(template: Template, function: Resource) -> Iterator[Need]:
    for use in uses_of_role(template, function):
        for action in use.actions:
            request = Request(action, use.made_on, context=SECURE)
            yield Need(Grant(action, use.granted_on), (request,), use.why)


def _grants(statement: Statement) -> Iterator[Grant]:
    if statement.effect != "Allow":
        return
    limits = [
        pattern
        for operator in _LIMITING
        for pattern in statement.conditions.get(operator, {}).get(LEADING_KEYS, ())
    ]
    for action in statement.actions:
        for resource in statement.resources:
            yield from (Grant(action, resource, limit) for limit in limits or [""])


def _policies_of(template: Template, arn: str) -> list[Statement]:
    """The policies of the resource with an ARN; of an index, there are none."""
    return [
        statement
        for resource in template.resources.values()
        if resource.has_arn and resource.arn == arn
        for statement in statements_on(template, resource)
    ]
