"""A service that never answers costs the time that an invocation has, and no more."""

from __future__ import annotations

import contextlib
import json
import socket
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import BotoCoreError

from functions.adapters.budget import TimeIsUpError
from functions.adapters.clock import Clock
from functions.adapters.runtime import Runtime
from functions.command_handler import handler as commands
from functions.query_handler import handler as queries
from tests.functions.calling import LambdaContext, StoppedClock, command_table_items, proxy_event

if TYPE_CHECKING:
    from collections.abc import Iterator

# What waits without a bound waits for botocore's sixty seconds.
pytestmark = pytest.mark.timeout(30)


class SilentServer:
    """Takes connections and never answers."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._socket.setblocking(False)
        self._taken: list[socket.socket] = []
        self.url = "http://{}:{}".format(*self._socket.getsockname())

    def connections(self) -> int:
        """How many have been made so far."""
        with contextlib.suppress(BlockingIOError):
            while True:
                self._taken.append(self._socket.accept()[0])
        return len(self._taken)

    def close(self) -> None:
        self.connections()
        for one in (self._socket, *self._taken):
            one.close()


@pytest.fixture
def silent() -> Iterator[SilentServer]:
    server = SilentServer()
    yield server
    server.close()


@pytest.fixture
def _silent_tables(silent: SilentServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", silent.url)


def deposit(unique: str) -> dict[str, object]:
    return proxy_event(
        "POST",
        "/accounts",
        headers={"Idempotency-Key": f"{unique}-k"},
        body={"account_id": f"{unique}-a", "owner_id": unique},
    )


@pytest.mark.usefixtures("_silent_tables")
def test_a_call_ends_when_the_time_is_over(silent: SilentServer) -> None:
    parts = Runtime()
    parts.budget.begin(LambdaContext(400), spare_ms=100)
    with pytest.raises(BotoCoreError):
        parts.dynamodb.get_item(TableName="commands", Key={})
    assert silent.connections() == 1
    assert parts.budget.left_ms() <= 0


@pytest.mark.usefixtures("_silent_tables")
def test_no_call_begins_after_the_time_is_over(silent: SilentServer) -> None:
    clock = StoppedClock()
    parts = Runtime(clock=clock)
    parts.budget.begin(LambdaContext(400), spare_ms=100)
    clock.at_ms += 300
    with pytest.raises(TimeIsUpError):
        parts.dynamodb.get_item(TableName="commands", Key={})
    assert silent.connections() == 0


@pytest.mark.usefixtures("_silent_tables")
def test_beginning_again_with_less_to_spare_leaves_time_for_a_report(silent: SilentServer) -> None:
    clock = StoppedClock()
    context = LambdaContext(400)
    parts = Runtime(clock=clock)
    parts.budget.begin(context, spare_ms=400)
    parts.budget.begin(context, spare_ms=100)
    with pytest.raises(BotoCoreError):
        parts.dynamodb.get_item(TableName="commands", Key={})
    assert silent.connections() >= 1


@pytest.mark.usefixtures("_silent_tables")
def test_a_caller_is_told_in_time_that_the_tables_are_silent(unique: str) -> None:
    context = LambdaContext(2_000)
    answer = commands.build(Runtime()).handle(deposit(unique), context)
    assert answer["statusCode"] == 503
    query = proxy_event("GET", "/accounts/{account_id}", path={"account_id": unique})
    assert queries.build(Runtime()).handle(query, context)["statusCode"] == 503


def test_a_silent_topic_is_asked_once_and_the_command_stays_accepted(
    unique: str, silent: SilentServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_SNS", silent.url)
    answer = commands.build(Runtime()).handle(deposit(unique), LambdaContext())
    assert answer["statusCode"] == 202
    assert json.loads(answer["body"])["version"] == 1
    assert silent.connections() == 1
    assert "due" in command_table_items(f"{unique}-a")[0]


def test_a_silent_queue_is_asked_once_although_no_invocation_has_begun(
    silent: SilentServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", silent.url)
    with pytest.raises(BotoCoreError):
        Runtime().sqs.change_message_visibility(
            QueueUrl=f"{silent.url}/q", ReceiptHandle=Clock().new_id(), VisibilityTimeout=1
        )
    assert silent.connections() == 1
