"""Tests on one dead-letter queue take their own letters, and leave each other's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tidemark.faults.dead_letters import DeadLetters

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tidemark.aws.clients import AwsClients


@pytest.fixture
def workers(aws: AwsClients) -> Iterator[list[DeadLetters]]:
    """Two processes that look at one queue, in which letters of both lie."""
    url = aws.sqs.create_queue(QueueName="shared")["QueueUrl"]
    for body in ("mine", "theirs", "mine too"):
        aws.sqs.send_message(QueueUrl=url, MessageBody=body)
    yield [DeadLetters.of(aws, "shared") for _ in range(2)]
    aws.sqs.delete_queue(QueueUrl=url)


def test_what_another_waits_for_stays_and_is_there_at_once(workers: list[DeadLetters]) -> None:
    mine, theirs = workers

    mine.await_bodies(["mine", "mine too"])

    assert theirs.take(["theirs"]) == ["theirs"]


def test_what_was_taken_is_remembered_and_gone(workers: list[DeadLetters]) -> None:
    mine, theirs = workers

    mine.await_bodies(["mine"])

    assert mine.take(["mine"]) == ["mine"]
    assert theirs.take(["mine"]) == []
