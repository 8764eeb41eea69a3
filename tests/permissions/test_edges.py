"""Who calls without a role is let in by the policy of what is called, and nobody else is."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING

import pytest

from tests.permissions import changes
from tests.permissions.changes import kinds_of

if TYPE_CHECKING:
    from tests.permissions.changes import Content
    from tests.permissions.conftest import Calls, Notice


@pytest.mark.parametrize(
    "kind", ["AWS::Lambda::Permission", "AWS::SNS::TopicPolicy", "AWS::SQS::QueuePolicy"]
)
def test_no_policy_of_a_resource_can_be_removed(
    template: Content, noticed: Notice, kind: str
) -> None:
    assert noticed(changes.without_each_resource(template, kind)) >= 1


def test_a_removed_permission_leaves_an_edge_uncovered(template: Content, calls: Calls) -> None:
    changed = dict(changes.without_each_resource(template, "AWS::Lambda::Permission"))
    assert len(changed) >= 3
    for what, content in changed.items():
        assert kinds_of(content, calls) == {"uncovered"}, what


@pytest.mark.parametrize(
    ("properties", "kind"),
    [
        ({"SourceArn": None}, "open"),
        ({"SourceArn": "*"}, "uncovered"),
        ({"SourceArn": "arn:aws:*:*:*:*"}, "open"),
        ({"SourceArn": "arn:aws:sns:eu-west-1:111122223333:Another"}, "uncovered"),
        ({"SourceAccount": "444455556666"}, "uncovered"),
        ({"Principal": "*"}, "open"),
        ({"Principal": "s3.amazonaws.com"}, "uncovered"),
        ({"Action": "lambda:*"}, "unused"),
        ({"Action": "lambda:GetFunction"}, "uncovered"),
    ],
    ids=str,
)
def test_who_may_invoke_a_function_cannot_be_changed(
    template: Content, calls: Calls, properties: dict[str, str | None], kind: str
) -> None:
    changed = dict(changes.with_each_property(template, "AWS::Lambda::Permission", **properties))
    assert len(changed) >= 3
    for what, content in changed.items():
        assert kind in kinds_of(content, calls), what


def test_a_route_cannot_be_left_open_to_other_methods_or_stages(
    template: Content, calls: Calls
) -> None:
    permissions = changes.resources_of(template, "AWS::Lambda::Permission")
    found = 0
    for name in permissions:
        changed = deepcopy(template)
        properties = changed["Resources"][name]["Properties"]
        if properties["Principal"] != "apigateway.amazonaws.com":
            continue
        *owner, route = properties["SourceArn"]["Fn::Join"][1]
        assert route.startswith("/v1/")
        for wider in ("/*/*/*", "/v1/*/*", route.replace("/v1/", "/*/")):
            properties["SourceArn"] = {"Fn::Join": ["", [*owner, wider]]}
            assert kinds_of(changed, calls) == {"open"}, (name, wider)
            found += 1
    assert found == 6


def test_a_further_invoker_is_noticed(template: Content, calls: Calls) -> None:
    for name in changes.resources_of(template, "AWS::Lambda::Permission"):
        changed = deepcopy(template)
        further = deepcopy(changed["Resources"][name])
        further["Properties"]["Principal"] = "s3.amazonaws.com"
        changed["Resources"]["Further"] = further
        assert kinds_of(changed, calls) == {"unused"}
