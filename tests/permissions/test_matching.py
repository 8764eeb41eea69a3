"""Which requests a statement is about, by action and resource."""

from __future__ import annotations

import pytest

from tidemark.permissions.statements import Request, Statement

QUEUE = "arn:aws:sqs:eu-west-1:111122223333:Queue"
STREAM = "arn:aws:logs:eu-west-1:111122223333:log-group:Logs:log-stream:1"


def is_about(action: str, resource: str, request: Request) -> bool:
    return Statement("here", "Allow", (action,), (resource,)).concerns(request)


@pytest.mark.parametrize(
    "action", ["sqs:SendMessage", "SQS:sendmessage", "sqs:Send*", "sqs:Send?essage", "*"]
)
def test_an_action_is_named_in_any_case_and_by_wildcards(action: str) -> None:
    assert is_about(action, QUEUE, Request("sqs:SendMessage", QUEUE))


@pytest.mark.parametrize("action", ["sqs:SendMessages", "sqs:Send", "sqs:Send?", "sns:*"])
def test_another_action_is_not_meant(action: str) -> None:
    assert not is_about(action, QUEUE, Request("sqs:SendMessage", QUEUE))


@pytest.mark.parametrize(
    ("pattern", "resource"),
    [
        ("*", QUEUE),
        (QUEUE, QUEUE),
        ("arn:aws:sqs:*:*:Que?e", QUEUE),
        ("arn:aws:logs:eu-west-1:111122223333:log-group:Logs:*", STREAM),
    ],
)
def test_a_resource_is_named_by_wildcards(pattern: str, resource: str) -> None:
    assert is_about("*", pattern, Request("a:B", resource))


@pytest.mark.parametrize(
    "pattern", [QUEUE.lower(), f"{QUEUE}2", "arn:aws:sqs:*:Queue", "arn:aws:*", "Queue"]
)
def test_another_resource_is_not_meant_and_a_wildcard_ends_with_its_part(pattern: str) -> None:
    assert not is_about("*", pattern, Request("a:B", QUEUE))
