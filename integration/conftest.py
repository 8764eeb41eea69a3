"""What the tests on a deployed stack share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from integration.accounts import Names
from integration.lines import LogReader
from integration.messages import DeadLetters, Queue
from integration.tables import Tables
from tidemark.workloads.bank import Bank

if TYPE_CHECKING:
    from tidemark.aws import Clients
    from tidemark.client import Client
    from tidemark.deployment import Deployment


@pytest.fixture(scope="session")
def bank(tidemark_client: Client) -> Bank:
    return Bank(tidemark_client)


@pytest.fixture(scope="session")
def tables(aws: Clients, deployment: Deployment) -> Tables:
    return Tables.of(deployment, aws)


@pytest.fixture(scope="session")
def queue(aws: Clients, deployment: Deployment) -> Queue:
    if deployment.wiring != "queued":
        pytest.skip(f"the wiring {deployment.wiring} has no queue")
    return Queue(aws.sqs, url_of(aws, deployment.outputs["QueueName"]))


@pytest.fixture(scope="session")
def dead_letters(aws: Clients, deployment: Deployment) -> DeadLetters:
    return DeadLetters(aws.sqs, url_of(aws, deployment.outputs["DeadLetterQueueName"]))


def url_of(aws: Clients, queue_name: str) -> str:
    return aws.sqs.get_queue_url(QueueName=queue_name)["QueueUrl"]


@pytest.fixture
def logged(aws: Clients, deployment: Deployment) -> LogReader:
    return LogReader(aws, deployment)


@pytest.fixture
def names() -> Names:
    return Names.fresh()
