"""Poison is sent for a block; what of it is dead by then is removed, and nothing else."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from acceptance.faults.conftest import QUEUES
from tests.workloads.items import event_item
from tidemark.faults.dead_letters import DeadLetters
from tidemark.faults.messages import duplicated, message, reordered
from tidemark.faults.poison import KINDS, of_each_kind, poisoned
from tidemark.host.undo import Journal
from tidemark.trace import letters
from tidemark.workloads.bank_items import event_of

if TYPE_CHECKING:
    from pathlib import Path

    from tidemark.aws.clients import AwsClients
    from tidemark.host.deployment import Deployment

EVENT = event_of(event_item())


def dead(aws: AwsClients) -> list[str]:
    return [letter.text for letter in letters.peek(aws.sqs, QUEUES[1])[0]]


def test_no_two_kinds_are_alike_and_only_one_is_about_an_event_of_the_log() -> None:
    bodies = of_each_kind("a", EVENT, nobody="b")

    assert tuple(bodies) == KINDS
    assert len(set(bodies.values())) == len(KINDS)
    assert message("a", EVENT) not in bodies.values()
    with pytest.raises(ValueError, match="Expecting"):
        json.loads(bodies["no JSON"])


@pytest.mark.parametrize("error", [None, KeyboardInterrupt])
def test_its_dead_letters_are_removed_and_those_of_others_stay(
    aws: AwsClients, deployment: Deployment, tmp_path: Path, error: type[BaseException] | None
) -> None:
    journal, bodies = Journal(tmp_path), of_each_kind("a", EVENT, nobody="b")
    url = aws.sqs.get_queue_url(QueueName=QUEUES[1])["QueueUrl"]
    aws.sqs.send_message(QueueUrl=url, MessageBody="somebody else's")

    try:
        with poisoned(journal, aws, deployment, bodies, None) as poison:
            assert set(poison.message_ids) == set(KINDS)
            assert [one.what for one in journal.entries()] == [f"Poison in {QUEUES[1]}"]
            for body in bodies.values():  # as the queue would have done
                aws.sqs.send_message(QueueUrl=url, MessageBody=body)
            if error is not None:
                raise error
    except KeyboardInterrupt:
        assert error is KeyboardInterrupt

    assert dead(aws) == ["somebody else's"]
    assert journal.entries() == []
    DeadLetters.of(aws, QUEUES[1]).take(["somebody else's"])


def test_the_seed_repeats_the_order() -> None:
    bodies = [str(number) for number in range(20)]

    assert reordered(bodies, seed=1) == reordered(bodies, seed=1) != bodies
    assert sorted(duplicated(bodies, times=3, seed=1)) == sorted(bodies * 3)
