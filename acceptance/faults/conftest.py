"""An emulator that somebody gave: not of the state folder under test."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING

import pytest

from tidemark.aws.clients import AwsClients
from tidemark.aws.connection import variables
from tidemark.host.deployment import Deployment
from tidemark.targets.base import TargetOptions
from tidemark.targets.embedded import EmbeddedTarget

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tidemark.aws.connection import Connection

HANDLER = "command-handler"
TOPIC = "arn:aws:sns:us-east-1:000000000000:topic"
QUEUES = ("projection", "dead-letters")


@pytest.fixture(scope="package")
def given(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    """An emulator of another state folder, with a function and two queues on it."""
    target = EmbeddedTarget(TargetOptions(state=tmp_path_factory.mktemp("given")))
    try:
        connection = target.start()
        code = io.BytesIO()
        with zipfile.ZipFile(code, "w") as file:
            file.writestr("handler.py", "def handle(event, context): return None\n")
        AwsClients(connection).functions.create_function(
            FunctionName=HANDLER,
            Runtime="python3.13",
            Handler="handler.handle",
            Role="arn:aws:iam::000000000000:role/any",
            Code={"ZipFile": code.getvalue()},
            Environment={"Variables": {"TOPIC_ARN": TOPIC, "OTHER": "stays"}},
        )
        for name in QUEUES:
            AwsClients(connection).sqs.create_queue(QueueName=name)
        with pytest.MonkeyPatch.context() as patch:
            for name, value in variables(connection).items():
                patch.setenv(name, value)
            yield connection
    finally:
        target.stop()


@pytest.fixture
def aws(given: Connection) -> AwsClients:
    return AwsClients(given)


@pytest.fixture
def deployment(given: Connection) -> Deployment:
    return Deployment(
        target="endpoint",
        endpoint=given.endpoint,
        region=given.region,
        stack_name="Given",
        api_url="",
        template_digest="",
        outputs={
            "CommandHandlerName": HANDLER,
            "UpdateProcessorName": HANDLER,
            "TopicArn": TOPIC,
            "QueueName": QUEUES[0],
            "DeadLetterQueueName": QUEUES[1],
        },
    )
