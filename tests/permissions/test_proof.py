"""The committed stack passes, and no change to a statement goes unnoticed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.permissions import changes
from tests.permissions.changes import kinds_of
from tidemark.permissions.proof import prove

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.permissions.changes import Content, Statement
    from tests.permissions.conftest import Calls, Notice


def test_what_is_committed_holds(template: Content, calls: Calls) -> None:
    proof = prove(template, calls)
    assert proof.objections == []
    assert proof.holds
    assert all(row.is_covered for row in proof.rows)
    assert {row.who for row in proof.rows} >= {
        "CommandHandler",
        "OutboxSweeper",
        "QueryHandler",
        "UpdateProcessor",
        "API Gateway",
        "EventBridge",
        "Lambda",
        "SNS",
    }


def test_no_statement_can_be_removed(template: Content, noticed: Notice) -> None:
    assert noticed(changes.without_each_statement(template)) >= 26


def test_no_action_can_be_removed(template: Content, noticed: Notice) -> None:
    changed = changes.with_each_statement(template, changes.without_each_action)
    assert noticed(changed) >= 20


def test_no_action_can_be_added(template: Content, noticed: Notice) -> None:
    changed = changes.with_each_statement(template, changes.with_an_unused_action)
    assert noticed(changed) >= 40


def test_no_resource_can_be_added(template: Content, noticed: Notice) -> None:
    changed = changes.with_each_statement(template, changes.on_more)
    assert noticed(changed) >= 28


def test_no_condition_can_be_removed(template: Content, noticed: Notice) -> None:
    changed = changes.with_each_statement(template, changes.without_condition)
    assert noticed(changed) >= 10


def test_no_leading_key_can_be_changed(template: Content, noticed: Notice) -> None:
    changed = changes.with_each_statement(template, changes.with_other_leading_keys)
    assert noticed(changed) >= 90


def test_a_widened_leading_key_is_a_grant_that_nothing_needs(
    template: Content, calls: Calls
) -> None:
    def widened(statement: Statement) -> Iterator[tuple[str, Statement]]:
        if changes.LIMIT in statement.get("Condition", {}):
            yield "*", changes.limited(statement, changes.LIMIT, ["*"])

    results = dict(changes.with_each_statement(template, widened))
    assert len(results) >= 7
    assert {what: kinds_of(content, calls) for what, content in results.items()} == {
        what: {"unused"} for what in results
    }
