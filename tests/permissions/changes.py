"""Templates with one thing changed: every statement, every leading key, every edge in turn."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

from tidemark.permissions.proof import prove

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tidemark.permissions.call_log import Call

Content = dict[str, Any]
Statement = dict[str, Any]

LIMIT = "ForAllValues:StringLike"
KEYS = "dynamodb:LeadingKeys"
POLICIES = ("AWS::SNS::TopicPolicy", "AWS::SQS::QueuePolicy")


def documents_of(resource: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The policy documents of a resource, whatever it calls them."""
    properties = resource.get("Properties", {})
    if resource["Type"] == "AWS::IAM::Role":
        yield "trust", properties["AssumeRolePolicyDocument"]
        for policy in properties["Policies"]:
            yield "policy", policy["PolicyDocument"]
    if resource["Type"] in POLICIES:
        yield "policy", properties["PolicyDocument"]


def statements_of(content: Content) -> Iterator[tuple[str, list[Statement], int]]:
    """Every statement: its name, the list that it stands in, and where."""
    for logical_id, resource in content["Resources"].items():
        for kind, document in documents_of(resource):
            for number in range(len(document["Statement"])):
                name = f"{logical_id} {kind} {number + 1}"
                yield name, document["Statement"], number


def without_each_statement(content: Content) -> Iterator[tuple[str, Content]]:
    """Without one statement."""
    for position, (name, _, _) in enumerate(statements_of(content)):
        changed = deepcopy(content)
        _, statements, number = list(statements_of(changed))[position]
        del statements[number]
        yield name, changed


def with_each_statement(
    content: Content, change: Callable[[Statement], Iterator[tuple[str, Statement]]]
) -> Iterator[tuple[str, Content]]:
    """With one statement changed, in each way that `change` yields."""
    for position, (name, statements, number) in enumerate(statements_of(content)):
        for what, instead in change(deepcopy(statements[number])):
            changed = deepcopy(content)
            _, found, at = list(statements_of(changed))[position]
            found[at] = instead
            yield f"{name}: {what}", changed


def without_each_action(statement: Statement) -> Iterator[tuple[str, Statement]]:
    """Without one of several actions."""
    actions = listed(statement["Action"])
    for action in actions if len(actions) > 1 else ():
        yield f"no {action}", statement | {"Action": [one for one in actions if one != action]}


def with_an_unused_action(statement: Statement) -> Iterator[tuple[str, Statement]]:
    """With an action that nobody needs, or with all of its service."""
    actions = listed(statement["Action"])
    service = actions[0].partition(":")[0]
    if statement["Effect"] == "Allow":
        for more in (f"{service}:Unheard", f"{service}:*"):
            yield more, statement | {"Action": [*actions, more]}


def on_more(statement: Statement) -> Iterator[tuple[str, Statement]]:
    """On everything, or on something else as well."""
    if statement["Effect"] == "Allow" and statement.get("Resource", "*") != "*":
        yield "on *", statement | {"Resource": "*"}
        more = [*listed(statement["Resource"]), "arn:aws:s3:::bucket"]
        yield "on a bucket", statement | {"Resource": more}


def without_condition(statement: Statement) -> Iterator[tuple[str, Statement]]:
    """Without its conditions."""
    if "Condition" in statement:
        yield (
            "no condition",
            {name: value for name, value in statement.items() if name != "Condition"},
        )


def with_other_leading_keys(statement: Statement) -> Iterator[tuple[str, Statement]]:
    """With one of its leading keys wider, narrower, missing, or with one more."""
    limit = statement.get("Condition", {}).get(LIMIT, {})
    if KEYS not in limit:
        return
    keys = listed(limit[KEYS])
    for position, key in enumerate(keys):
        wider = ("*", f"{key.removesuffix('#*')}*", f"{key[0]}*", f"*{key}", key.replace("#", "?"))
        for other in (*wider, key.replace("*", "1*"), key.removesuffix("*")):
            changed = [*keys[:position], other, *keys[position + 1 :]]
            yield f"{key} as {other}", limited(statement, LIMIT, changed)
        if len(keys) > 1:
            yield f"no {key}", limited(statement, LIMIT, [one for one in keys if one != key])
    yield "one more", limited(statement, LIMIT, [*keys, "another#*"])
    for operator in ("ForAnyValue:StringLike", "ForAllValues:StringNotLike", "StringLike"):
        yield operator, limited(statement, operator, keys)


def limited(statement: Statement, operator: str, keys: list[str]) -> Statement:
    return statement | {"Condition": {operator: {KEYS: keys}}}


def resources_of(content: Content, *kinds: str) -> list[str]:
    """The logical ids of the resources of some types."""
    return [name for name, one in content["Resources"].items() if one["Type"] in kinds]


def without_each_resource(content: Content, *kinds: str) -> Iterator[tuple[str, Content]]:
    """Without one resource of these types."""
    for name in resources_of(content, *kinds):
        changed = deepcopy(content)
        del changed["Resources"][name]
        yield name, changed


def with_each_property(
    content: Content, kind: str, **properties: Any
) -> Iterator[tuple[str, Content]]:
    """With properties of one resource of a type changed; those that become None are removed."""
    for name in resources_of(content, kind):
        changed = deepcopy(content)
        declared = changed["Resources"][name]["Properties"]
        declared |= properties
        for one, value in properties.items():
            if value is None:
                del declared[one]
        yield f"{name}: {', '.join(properties)}", changed


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def kinds_of(content: Content, calls: Iterable[Call]) -> set[str]:
    """The kinds of what is wrong."""
    return {objection.kind for objection in prove(content, calls).objections}
