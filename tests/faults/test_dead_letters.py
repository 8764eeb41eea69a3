"""Tests on one dead-letter queue take their own letters, and leave each other's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from moto import mock_aws

from tidemark.aws.clients import AwsClients
from tidemark.aws.connection import EMULATOR_CREDENTIALS, Connection
from tidemark.faults.dead_letters import DeadLetters

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def workers() -> Iterator[list[DeadLetters]]:
    """Two processes that look at one queue, in which letters of both lie."""
    with mock_aws():
        sqs = AwsClients(Connection("us-east-1", None, EMULATOR_CREDENTIALS)).sqs
        url = sqs.create_queue(QueueName="dead-letters")["QueueUrl"]
        for body in ("mine", "theirs", "mine too"):
            sqs.send_message(QueueUrl=url, MessageBody=body)
        yield [DeadLetters(sqs, url) for _ in range(2)]


def test_what_another_waits_for_stays_and_is_there_at_once(workers: list[DeadLetters]) -> None:
    mine, theirs = workers

    mine.await_bodies(["mine", "mine too"])

    assert theirs.take(["theirs"]) == ["theirs"]


def test_what_was_taken_is_remembered_and_gone(workers: list[DeadLetters]) -> None:
    mine, theirs = workers

    mine.await_bodies(["mine"])

    assert mine.take(["mine"]) == ["mine"]
    assert theirs.take(["mine"]) == []
