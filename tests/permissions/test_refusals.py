"""What the check does not understand is an error that says so, and never a pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.permissions import changes
from tidemark.errors import TidemarkError
from tidemark.permissions.call_log import Call
from tidemark.permissions.conditions import UnknownConditionError
from tidemark.permissions.proof import prove
from tidemark.permissions.template import UnreadableTemplateError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.permissions.changes import Content, Statement
    from tests.permissions.conftest import Calls


@pytest.mark.parametrize("hidden", ["ManagedPolicyArns", "PermissionsBoundary"])
def test_policies_that_the_template_does_not_show_are_refused(
    template: Content, calls: Calls, hidden: str
) -> None:
    for _, changed in changes.with_each_property(template, "AWS::IAM::Role", **{hidden: "arn"}):
        with pytest.raises(UnreadableTemplateError, match=hidden):
            prove(changed, calls)


@pytest.mark.parametrize("element", ["NotAction", "NotResource", "NotPrincipal"])
def test_an_element_that_is_not_understood_is_refused(
    template: Content, calls: Calls, element: str
) -> None:
    def inverted(statement: Statement) -> Iterator[tuple[str, Statement]]:
        yield element, statement | {element: "*"}

    for what, changed in changes.with_each_statement(template, inverted):
        with pytest.raises(UnreadableTemplateError, match=element):
            prove(changed, calls)
        assert what


@pytest.mark.parametrize("element", ["Action", "Resource"])
def test_a_policy_variable_is_refused(template: Content, calls: Calls, element: str) -> None:
    def patterned(statement: Statement) -> Iterator[tuple[str, Statement]]:
        yield "", statement | {element: "${aws:userid}"}

    for _, changed in changes.with_each_statement(template, patterned):
        with pytest.raises(UnreadableTemplateError, match="policy variable"):
            prove(changed, calls)


def test_an_unknown_condition_is_refused_wherever_it_stands(
    template: Content, calls: Calls
) -> None:
    def conditioned(statement: Statement) -> Iterator[tuple[str, Statement]]:
        yield "", statement | {"Condition": {"NumericEquals": {"a": "1"}}}

    for _, changed in changes.with_each_statement(template, conditioned):
        with pytest.raises(UnknownConditionError, match="NumericEquals"):
            prove(changed, calls)


def test_a_call_log_of_another_stack_is_refused(template: Content) -> None:
    for call in (
        Call("Another", "sns:Publish", "Topic"),
        Call("CommandHandler", "sns:Publish", "Another"),
    ):
        with pytest.raises(TidemarkError, match="Another"):
            prove(template, [call])
