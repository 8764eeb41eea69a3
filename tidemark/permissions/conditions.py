"""What the Condition element of a policy statement means.

After https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
and https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html:
all keys of all operators must hold, one of a key's values suffices. An operator that is not known
here is an error, never a guess.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tidemark.errors import TidemarkError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    Conditions = Mapping[str, Mapping[str, tuple[str, ...]]]
    Context = Mapping[str, tuple[str, ...]]

_ARN_PARTS = 6


class UnknownConditionError(TidemarkError):
    """A statement has a condition that is not understood here."""


def hold(conditions: Conditions, context: Context) -> bool:
    """Whether all conditions of a statement are true of a request.

    Args:
        conditions: By operator, the values of each condition key.
        context: The values that the request has for each condition key; names match exactly.

    Raises:
        UnknownConditionError: An operator or a policy variable is not known here.
    """
    # Each is looked at even after a false one, so that an unknown one never goes unnoticed.
    results = [
        _holds(operator, wanted, context.get(key, ()))
        for operator, keys in conditions.items()
        for key, wanted in keys.items()
    ]
    return all(results)


def _holds(operator: str, wanted: tuple[str, ...], found: tuple[str, ...]) -> bool:
    if operator == "Null":
        return all(_truth(one) is not bool(found) for one in wanted)
    quantifier, _, name = operator.rpartition(":")
    is_optional = name.endswith("IfExists")
    name = name.removesuffix("IfExists")
    is_negated = "Not" in name
    matches = _MATCHES.get(name.replace("Not", ""))
    if matches is None or quantifier not in _QUANTIFIERS:
        raise UnknownConditionError(
            f"The condition operator {operator} is not known here: teach it to "
            "tidemark/permissions/conditions.py."
        )
    if any("${" in one for one in wanted):
        raise UnknownConditionError(
            f"{', '.join(wanted)} has a policy variable, which is not known here: teach it to "
            "tidemark/permissions/conditions.py."
        )
    if not found and is_optional:
        return True
    if not found and not quantifier:
        return is_negated
    each = [any(matches(pattern, one) for pattern in wanted) is not is_negated for one in found]
    return _QUANTIFIERS[quantifier](each)


def _truth(text: str) -> bool:
    return text.lower() == "true"


def _equal(wanted: str, found: str) -> bool:
    return wanted == found


def _equal_bool(wanted: str, found: str) -> bool:
    return _truth(wanted) is _truth(found)


def like(pattern: str, found: str) -> bool:
    """Whether a text is like a pattern: `*` stands for any characters, `?` for one."""
    parts = (
        ".*" if part == "*" else "." if part == "?" else re.escape(part)
        for part in re.split(r"([*?])", pattern)
    )
    return re.fullmatch("".join(parts), found, re.DOTALL) is not None


def like_arn(pattern: str, found: str) -> bool:
    """Whether an ARN is like a pattern, part by part; the last part may have colons itself."""
    wanted, parts = pattern.split(":", _ARN_PARTS - 1), found.split(":", _ARN_PARTS - 1)
    return len(wanted) == len(parts) == _ARN_PARTS and all(map(like, wanted, parts))


_MATCHES: Mapping[str, Callable[[str, str], bool]] = {
    "StringEquals": _equal,
    "StringLike": like,
    "Bool": _equal_bool,
    "ArnEquals": like_arn,  # the two behave alike
    "ArnLike": like_arn,
}

_QUANTIFIERS: Mapping[str, Callable[[Iterable[bool]], bool]] = {
    "": all,  # such a key has at most one value
    "ForAllValues": all,  # true of no values at all, as AWS has it
    "ForAnyValue": any,
}
