"""Resource policies: whether a statement that a template declares is among those deployed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

_ANYTHING = ".*"
_PSEUDO_PARAMETER = "AWS::"
# What a permission of a function becomes in the function's policy.
_CONDITIONS = {
    "PrincipalOrgID": ("StringEquals", "aws:PrincipalOrgID"),
    "SourceAccount": ("StringEquals", "AWS:SourceAccount"),
    "SourceArn": ("ArnLike", "AWS:SourceArn"),
}


def of_permission(properties: Mapping[str, Any]) -> dict[str, Any]:
    """The statement that an AWS::Lambda::Permission declares."""
    conditions: dict[str, dict[str, Any]] = {}
    for name, (operator, key) in _CONDITIONS.items():
        if name in properties:
            conditions.setdefault(operator, {})[key] = properties[name]
    statement: dict[str, Any] = {
        "Effect": "Allow",
        "Action": properties["Action"],
        "Principal": {"Service": properties["Principal"]},
    }
    return {**statement, "Condition": conditions} if conditions else statement


def missing(
    declared: Mapping[str, Any], deployed: Iterable[Mapping[str, Any]], ids: Mapping[str, str]
) -> list[str] | None:
    """Which members of a declared statement differ in the deployed one that is most like it.

    A reference in the template stands for any text that ends with the physical id of what it
    refers to: an ARN ends with it, or is it. Neither order nor upper and lower case count, which
    services change.

    Args:
        declared: The statement in the template.
        deployed: The statements that are there.
        ids: The stack's physical ids by logical id.

    Returns:
        Nothing if it is there as declared; ``None`` if there is no statement at all.
    """
    wanted = _members(declared, lambda value: _pattern(value, ids))
    found = [_members(one, str) for one in deployed]
    return min((_different(wanted, one) for one in found), key=len, default=None)


def _different(wanted: Mapping[str, list[str]], found: Mapping[str, list[str]]) -> list[str]:
    # A condition that nobody declared makes it another statement; a Sid or a Resource does not.
    names = [*wanted, *({"Condition"} & found.keys() - wanted.keys())]
    return [name for name in names if not _fits(wanted.get(name, []), found.get(name, []))]


def _fits(patterns: list[str], texts: list[str]) -> bool:
    return len(patterns) == len(texts) and all(
        any(re.fullmatch(pattern, text, re.IGNORECASE) for text in texts) for pattern in patterns
    )


def _members(statement: Mapping[str, Any], read: Callable[[Any], str]) -> dict[str, list[str]]:
    """A statement's members by name, each as a list of texts; `read` reads a value."""
    found: dict[str, list[str]] = {}
    for name, value in statement.items():
        if name == "Condition":
            found[name] = [
                f"{operator} {key} {read(one)}"
                for operator, keys in value.items()
                for key, values in keys.items()
                for one in _list(values)
            ]
        elif name.endswith("Principal"):
            kinds = {"AWS": "*"} if value == "*" else value
            found[name] = [
                f"{kind} {read(one)}" for kind, values in kinds.items() for one in _list(values)
            ]
        elif name != "Sid":
            found[name] = [read(one) for one in _list(value)]
    return found


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _pattern(value: Any, ids: Mapping[str, str]) -> str:
    """What a value of the template may read as, once it is deployed."""
    if not isinstance(value, dict):
        return re.escape(str(value))
    [(function, argument)] = value.items()
    if function == "Fn::Join":
        separator, parts = argument
        return re.escape(str(separator)).join(_pattern(one, ids) for one in parts)
    name: str = argument[0] if function == "Fn::GetAtt" else argument
    if function not in ("Ref", "Fn::GetAtt") or name.startswith(_PSEUDO_PARAMETER):
        return _ANYTHING
    physical_id: str = ids[name.partition(".")[0]]
    return _ANYTHING + re.escape(physical_id.rpartition("/")[2])
