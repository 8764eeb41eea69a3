"""A role grants what its function calls and what services do with it: that and no more."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.permissions import changes
from tests.permissions.changes import kinds_of
from tidemark.permissions.proof import prove

if TYPE_CHECKING:
    from tests.permissions.changes import Content
    from tests.permissions.conftest import Calls


def test_a_statement_that_grants_again_is_noticed(template: Content, calls: Calls) -> None:
    changed = deepcopy(template)
    for name in changes.resources_of(changed, "AWS::IAM::Role"):
        statements = changed["Resources"][name]["Properties"]["Policies"][0]["PolicyDocument"]
        statements["Statement"].append(deepcopy(statements["Statement"][0]))
        assert kinds_of(changed, calls) == {"unused"}
        del statements["Statement"][-1]


def test_a_role_that_denies_what_is_called_is_noticed(template: Content, calls: Calls) -> None:
    for name in changes.resources_of(template, "AWS::IAM::Role"):
        changed = deepcopy(template)
        statements = changed["Resources"][name]["Properties"]["Policies"][0]["PolicyDocument"]
        statements["Statement"].append({"Effect": "Deny", "Action": "*", "Resource": "*"})
        assert kinds_of(changed, calls) == {"denied", "unused"}


def test_a_policy_beside_the_role_counts_as_the_roles(template: Content, calls: Calls) -> None:
    for name in changes.resources_of(template, "AWS::IAM::Role"):
        changed = deepcopy(template)
        properties = changed["Resources"][name]["Properties"]
        [policy] = properties.pop("Policies")
        changed["Resources"]["Beside"] = {
            "Type": "AWS::IAM::Policy",
            "Properties": policy | {"Roles": [{"Ref": name}]},
        }
        assert prove(changed, calls).holds
        policy["PolicyDocument"]["Statement"][0]["Resource"] = "*"
        assert not prove(changed, calls).holds


def test_a_role_that_is_no_functions_is_noticed(template: Content, calls: Calls) -> None:
    changed = deepcopy(template)
    name = changes.resources_of(changed, "AWS::IAM::Role")[0]
    changed["Resources"]["Nobodys"] = deepcopy(changed["Resources"][name])
    assert kinds_of(changed, calls) == {"unused"}


def test_a_call_that_no_longer_happens_leaves_a_grant_unused(
    template: Content, calls: Calls
) -> None:
    assert len(calls) >= 15
    for call in calls:
        assert kinds_of(template, calls - {call}) == {"unused"}, call


@pytest.mark.parametrize(
    "change",
    [
        {"action": "dynamodb:DeleteItem"},
        {"leading_key": "another#*"},
        {"leading_key": "account"},
        {"resource": "QueryTable/index/another"},
    ],
    ids=str,
)
def test_a_further_call_is_denied(template: Content, calls: Calls, change: dict[str, str]) -> None:
    on_items = [one for one in calls if one.leading_key]
    assert len(on_items) >= 10
    for call in on_items:
        assert kinds_of(template, calls | {replace(call, **change)}) == {"denied"}, call


@pytest.mark.parametrize("feature", ["LoggingConfig", "TracingConfig"])
def test_what_lambda_does_with_a_role_is_unused_where_it_does_not(
    template: Content, calls: Calls, feature: str
) -> None:
    changed = dict(changes.with_each_property(template, "AWS::Lambda::Function", **{feature: None}))
    assert len(changed) == 4
    for what, content in changed.items():
        assert kinds_of(content, calls) == {"unused"}, what


def test_what_an_event_source_mapping_or_a_dead_letter_queue_takes_is_unused_without_it(
    template: Content, calls: Calls, wiring: str
) -> None:
    if wiring == "queued":
        changed = changes.without_each_resource(template, "AWS::Lambda::EventSourceMapping")
    else:
        changed = iter(
            [
                one
                for one in changes.with_each_property(
                    with_dead_letters(template), "AWS::Lambda::Function", DeadLetterConfig=None
                )
                if "UpdateProcessor" in one[0]
            ]
        )
    [(_, content)] = changed
    assert kinds_of(content, calls) == {"unused"}


def with_dead_letters(template: Content) -> Content:
    """A copy in which every function has a place for a dead-letter queue."""
    changed = deepcopy(template)
    for name in changes.resources_of(changed, "AWS::Lambda::Function"):
        changed["Resources"][name]["Properties"].setdefault("DeadLetterConfig", {})
    return changed


def test_a_dead_letter_queue_of_a_function_that_may_not_send_is_noticed(
    template: Content, calls: Calls
) -> None:
    [queue] = [
        name for name in changes.resources_of(template, "AWS::SQS::Queue") if "DeadLetter" in name
    ]
    target = {"TargetArn": {"Fn::GetAtt": [queue, "Arn"]}}
    changed = dict(
        changes.with_each_property(template, "AWS::Lambda::Function", DeadLetterConfig=target)
    )
    denied = {what for what, content in changed.items() if "denied" in kinds_of(content, calls)}
    assert {what for what in changed if "UpdateProcessor" not in what} <= denied
    assert len(denied) >= 3
