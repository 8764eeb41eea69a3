"""What a condition of a policy statement means; each rule is seen to hold and to fail."""

from __future__ import annotations

import pytest

from tidemark.permissions.conditions import UnknownConditionError, hold

KEYS = "dynamodb:LeadingKeys"
ARN = "arn:aws:sns:eu-west-1:111122223333:Topic"


def holds(operator: str, wanted: str | tuple[str, ...], *found: str, key: str = KEYS) -> bool:
    values = (wanted,) if isinstance(wanted, str) else wanted
    return hold({operator: {key: values}}, {key: found} if found else {})


def test_no_condition_holds_of_every_request() -> None:
    assert hold({}, {})
    assert hold({}, {KEYS: ("account#1",)})


@pytest.mark.parametrize(
    ("operator", "wanted", "found", "expected"),
    [
        ("StringEquals", "a", "a", True),
        ("StringEquals", "a", "A", False),
        ("StringEquals", ("a", "b"), "b", True),
        ("StringEquals", "a*", "ab", False),
        ("StringNotEquals", "a", "a", False),
        ("StringNotEquals", ("a", "b"), "b", False),
        ("StringNotEquals", ("a", "b"), "c", True),
        ("StringLike", "account#*", "account#1", True),
        ("StringLike", "account#*", "account#", True),
        ("StringLike", "account#*", "g1#account#1", False),
        ("StringLike", "account#*", "Account#1", False),
        ("StringLike", "a?c", "abc", True),
        ("StringLike", "a?c", "ac", False),
        ("StringLike", "a.c", "abc", False),
        ("StringLike", "a*", "a\nb", True),
        ("StringNotLike", "account#*", "command#1", True),
        ("StringNotLike", "account#*", "account#1", False),
        ("Bool", "false", "false", True),
        ("Bool", "false", "true", False),
        ("Bool", "True", "true", True),
        ("ArnEquals", ARN, ARN, True),
        ("ArnEquals", ARN, ARN + "s", False),
        ("ArnEquals", ARN[:-1] + "*", ARN, True),
        ("ArnLike", "arn:aws:sns:*:111122223333:*", ARN, True),
        ("ArnLike", "arn:aws:sns:*:999999999999:*", ARN, False),
        ("ArnLike", "arn:*:Topic", ARN, False),  # a wildcard stays within its part
        ("ArnNotLike", "arn:aws:sns:*:111122223333:*", ARN, False),
        ("ArnNotEquals", ARN, ARN + "s", True),
    ],
)
def test_an_operator_compares_the_value_of_a_request(
    operator: str, wanted: str | tuple[str, ...], found: str, *, expected: bool
) -> None:
    assert holds(operator, wanted, found) is expected


@pytest.mark.parametrize(
    ("operator", "expected"),
    [
        ("StringEquals", False),
        ("StringLike", False),
        ("Bool", False),
        ("ArnLike", False),
        ("StringNotEquals", True),
        ("ArnNotLike", True),
        ("StringEqualsIfExists", True),
        ("BoolIfExists", True),
        ("ForAllValues:StringLike", True),
        ("ForAnyValue:StringLike", False),
        ("ForAnyValue:StringLikeIfExists", True),
    ],
)
def test_a_key_that_the_request_does_not_have(operator: str, *, expected: bool) -> None:
    assert holds(operator, "true") is expected


def test_an_optional_condition_counts_where_the_key_is_there() -> None:
    assert holds("StringEqualsIfExists", "a", "a")
    assert not holds("StringEqualsIfExists", "a", "b")


def test_every_value_must_match_for_all_values() -> None:
    patterns = ("account#*", "command#*")
    assert holds("ForAllValues:StringLike", patterns, "account#1", "command#2")
    assert not holds("ForAllValues:StringLike", patterns, "account#1", "owner#2")
    assert not holds("ForAllValues:StringLike", "account#*", "account#1", "command#2")
    assert not holds("ForAllValues:StringNotLike", "account#*", "command#2", "account#1")


def test_one_value_suffices_for_any_value() -> None:
    assert holds("ForAnyValue:StringLike", "account#*", "owner#2", "account#1")
    assert not holds("ForAnyValue:StringLike", "account#*", "owner#2", "command#1")


def test_null_asks_whether_a_key_is_absent() -> None:
    assert holds("Null", "true")
    assert not holds("Null", "true", "account#1")
    assert holds("Null", "false", "account#1")
    assert not holds("Null", "false")


def test_all_keys_of_all_operators_must_hold() -> None:
    conditions = {
        "StringEquals": {"aws:SourceAccount": ("1",), "aws:PrincipalAccount": ("2",)},
        "Bool": {"aws:SecureTransport": ("true",)},
    }
    context = {
        "aws:SourceAccount": ("1",),
        "aws:PrincipalAccount": ("2",),
        "aws:SecureTransport": ("true",),
    }
    assert hold(conditions, context)
    for key in context:
        assert not hold(conditions, context | {key: ("3",)}), key


def test_a_key_of_another_spelling_is_another_key() -> None:
    assert not hold({"StringLike": {"aws:sourcearn": ("*",)}}, {"aws:SourceArn": (ARN,)})


@pytest.mark.parametrize(
    "operator", ["StringLikes", "NumericEquals", "IpAddress", "ForSomeValues:StringLike", "Arn"]
)
def test_an_unknown_operator_is_an_error_and_no_guess(operator: str) -> None:
    with pytest.raises(UnknownConditionError, match=operator):
        holds(operator, "1", "1")
    with pytest.raises(UnknownConditionError, match=operator):
        hold({"Bool": {"a": ("true",)}, operator: {KEYS: ("1",)}}, {})


def test_a_policy_variable_is_an_error_and_no_guess() -> None:
    with pytest.raises(UnknownConditionError, match="variable"):
        holds("StringLike", "${aws:userid}", "${aws:userid}")
