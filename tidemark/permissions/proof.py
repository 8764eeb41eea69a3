"""The proof: what is needed is granted, what is granted is needed, and nobody else gets in."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from tidemark.errors import TidemarkError
from tidemark.permissions.edges import edges_of
from tidemark.permissions.policies import statements_of_role, statements_on
from tidemark.permissions.services import uses_of_role
from tidemark.permissions.statements import Request, is_allowed, is_denied
from tidemark.permissions.template import Template

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any

    from tidemark.permissions.conditions import Context
    from tidemark.permissions.edges import Edge
    from tidemark.permissions.recording import Call
    from tidemark.permissions.statements import Statement
    from tidemark.permissions.template import Resource

LEADING_KEYS = "dynamodb:LeadingKeys"

# With these operators, leading keys are limited to the patterns that follow.
_LIMITING = ("ForAllValues:StringEquals", "ForAllValues:StringLike")
_SECURE: Context = {"aws:SecureTransport": ("true",)}
_INSECURE: Context = {"aws:SecureTransport": ("false",)}
# What stands for the wildcard of a pattern: ids and idempotency keys may hold such.
_SAMPLES = ("0", "zZ.9~_-", "a#b c/?*")
_RECORDED = "recorded"
_NO_STRING = "recorded; its partition key is a number, with no leading keys to compare"

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


@dataclass(frozen=True, slots=True)
class Grant:
    """An action on a resource, limited to a pattern of leading keys if there is one."""

    action: str
    resource: str
    leading_key: str = ""

    def __str__(self) -> str:
        limit = f" with leading keys {self.leading_key}" if self.leading_key else ""
        return f"{self.action} on {self.resource}{limit}"


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


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that was checked.

    Attributes:
        who: The function, or the edge.
        grant: What it needs.
        why: Why it needs that.
        is_covered: Whether the policies allow it.
    """

    who: str
    grant: Grant
    why: str
    is_covered: bool


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is wrong with a template's policies.

    Attributes:
        kind: `denied`, `unused`, `uncovered` or `open`.
        sentence: What, for people.
    """

    kind: str
    sentence: str


@dataclass
class Proof:
    """What came out for one template."""

    rows: list[Row] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings


def prove(content: Mapping[str, Any], calls: Iterable[Call]) -> Proof:
    """Evaluate the calls that functions make against a template's policies.

    Args:
        content: The synthesised template.
        calls: What the functions were seen to call.

    Raises:
        TidemarkError: The template or the calls say something that is not understood here.
    """
    template, proof, called = Template(content), Proof(), sorted(calls)
    functions = {template.name(one): one for one in template.of_kind("AWS::Lambda::Function")}
    for unknown in sorted({call.function for call in called} - functions.keys()):
        raise TidemarkError(f"The recording is about {unknown}, which the template does not have.")
    for name, function in functions.items():
        recorded = (_called(template, one) for one in called if one.function == name)
        used = _used(template, function)
        _prove_role(template, name, function, [*recorded, *used], proof)
    _prove_edges(template, proof)
    _prove_transport(template, proof)
    _find_roles_of_nobody(template, functions.values(), proof)
    return proof


def _called(template: Template, call: Call) -> Need:
    name, slash, index = call.resource.partition("/")
    if name not in template.named:
        raise TidemarkError(
            f"The recording is about {call.resource}, which the template does not have."
        )
    arn = template.named[name].arn + slash + index
    contexts: list[Context] = [_SECURE]
    if call.leading_key:
        contexts = [
            {**_SECURE, LEADING_KEYS: (call.leading_key.replace("*", sample),)}
            for sample in _SAMPLES
        ]
    is_item = call.action.startswith("dynamodb:")
    return Need(
        Grant(call.action, arn, call.leading_key),
        tuple(Request(call.action, arn, context=context) for context in contexts),
        _NO_STRING if is_item and not call.leading_key else _RECORDED,
    )


def _used(template: Template, function: Resource) -> Iterator[Need]:
    for use in uses_of_role(template, function):
        for action in use.actions:
            request = Request(action, use.made_on, context=_SECURE)
            yield Need(Grant(action, use.granted_on), (request,), use.why)


def _prove_role(
    template: Template, who: str, function: Resource, needs: list[Need], proof: Proof
) -> None:
    role = template.referred(function.properties["Role"])
    granting = statements_of_role(template, role)
    for need in needs:
        on_resource = _policies_of(template, need.grant.resource)
        is_covered = all(is_allowed(one, [*granting, *on_resource]) for one in need.requests)
        proof.rows.append(Row(who, _readable(template, need.grant), need.why, is_covered))
        if not is_covered:
            proof.findings.append(
                Finding("denied", f"{who} is denied {_readable(template, need.grant)} ({need.why})")
            )
    needed = {need.grant for need in needs}
    granted = Counter(grant for one in granting for grant in _grants(one))
    for grant, times in granted.items():
        readable = _readable(template, grant)
        if grant not in needed:
            sentence = f"{who} is granted {readable}, and nothing was seen to need just that"
            proof.findings.append(Finding("unused", sentence))
        elif times > 1:
            sentence = f"{who} is granted {readable} {times} times"
            proof.findings.append(Finding("unused", sentence))
    proof.findings += [
        Finding("unused", f"{one.where} denies {', '.join(one.actions)}: {who} needs no denial")
        for one in granting
        if one.effect != "Allow"
    ]


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


def _prove_edges(template: Template, proof: Proof) -> None:
    edges = list(edges_of(template))
    for edge in edges:
        granting = statements_on(template, edge.resource)
        is_covered = is_allowed(edge.request, granting)
        grant = Grant(edge.request.action, template.name(edge.resource))
        proof.rows.append(Row(edge.service, grant, edge.occasion, is_covered))
        if not is_covered:
            proof.findings.append(
                Finding("uncovered", f"{edge.service} lacks {grant} ({edge.occasion})")
            )
        proof.findings += [
            Finding("open", f"{edge.service} has {grant} for {who}, too ({edge.occasion})")
            for who, request in edge.strangers
            if is_allowed(request, granting)
        ]
    proof.findings += [
        Finding("unused", f"{one.where} allows {', '.join(one.actions)} to nobody that calls")
        for resource in template.resources.values()
        for one in statements_on(template, resource)
        if one.effect == "Allow" and not _is_used(one, resource, edges)
    ]


def _is_used(statement: Statement, resource: Resource, edges: Iterable[Edge]) -> bool:
    """Whether a resource's statement is about that resource, and each action what an edge needs."""
    requests = [edge.request for edge in edges if edge.resource == resource]
    return {*statement.resources} <= {resource.arn} and all(
        any(one.action == action and statement.concerns(one) for one in requests)
        for action in statement.actions
    )


def _prove_transport(template: Template, proof: Proof) -> None:
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
                    proof.findings.append(Finding("open", f"{grant} is possible in plain HTTP"))
                if is_denied(replace(request, context=_SECURE), denying):
                    proof.findings.append(Finding("denied", f"anyone is denied {grant}"))
            proof.findings += [
                Finding("unused", f"{one.where} denies nothing that is insecure")
                for one in denying
                if not any(map(one.concerns, insecure))
            ]


def _find_roles_of_nobody(template: Template, functions: Iterable[Resource], proof: Proof) -> None:
    used = {template.referred(one.properties["Role"]).logical_id for one in functions}
    proof.findings += [
        Finding("unused", f"role {role.logical_id} is no function's")
        for role in template.of_kind("AWS::IAM::Role")
        if role.logical_id not in used
    ]


def _policies_of(template: Template, arn: str) -> list[Statement]:
    """The policies of the resource with an ARN; of an index, there are none."""
    return [
        statement
        for resource in template.resources.values()
        if resource.kind in _MESSAGING and resource.arn == arn
        for statement in statements_on(template, resource)
    ]


def _readable(template: Template, grant: Grant) -> Grant:
    """The grant, its resource called as people do."""
    for resource in template.resources.values():
        arn = resource.arn.removesuffix(":*") if resource.has_arn else ""
        name, found, tail = grant.resource.partition(arn) if arn else ("", "", "")
        if found and not name and not tail[:1].isalnum():
            return replace(grant, resource=template.name(resource) + tail)
    return grant
