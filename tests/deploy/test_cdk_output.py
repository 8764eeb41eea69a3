"""What is said of a failed synthesis, bootstrap or deploy."""

from __future__ import annotations

from typing import Any

import pytest

from tidemark.aws.stacks import first_failure
from tidemark.deploy.cdk import last_words


@pytest.mark.parametrize(
    ("output", "words"),
    [
        ("", "it said nothing"),
        (
            "start: Building\n\x1b[31m❌ Tidemark failed: no credentials.\x1b[39m\n at y.js:1\n",
            "Tidemark failed: no credentials",
        ),
        (
            'Traceback (most recent call last):\n  File "a.py"\nValueError: wiring: fast\n',
            "ValueError: wiring: fast",
        ),
        (
            "Traceback:\naws_cdk.ValidationError: twice the same id\n\nSubprocess exited\n",
            "aws_cdk.ValidationError: twice the same id",
        ),
        ("something\nelse.\n", "else"),
    ],
)
def test_the_line_that_says_why_is_found(output: str, words: str) -> None:
    assert last_words(output) == words


def event(resource: str, status: str, reason: str | None = None) -> dict[str, Any]:
    return {
        "LogicalResourceId": resource,
        "ResourceType": f"AWS::Test::{resource}",
        "ResourceStatus": status,
        "ResourceStatusReason": reason,
    }


def test_the_resource_that_failed_first_is_named_with_its_reason() -> None:
    events = [
        event("Queue", "CREATE_COMPLETE"),
        event("Table", "CREATE_FAILED", "Resource creation cancelled"),
        event("Role", "CREATE_FAILED", "Invalid\n  principal."),
        event("Topic", "CREATE_FAILED", "Too late"),
        event("Tidemark", "ROLLBACK_IN_PROGRESS", "The following resource(s) failed to create"),
    ]

    assert first_failure(events) == "Role (AWS::Test::Role): Invalid principal"


def test_a_consequence_is_better_than_nothing() -> None:
    cancelled = event("Table", "CREATE_FAILED", "Resource creation cancelled")

    assert first_failure([cancelled]) == "Table (AWS::Test::Table): Resource creation cancelled"


def test_without_a_failed_resource_there_is_nothing_to_name() -> None:
    assert first_failure([event("Queue", "CREATE_COMPLETE")]) is None
