"""Commands that others, or AWS itself, are in the way of: what the caller may rely on."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ClientError, ReadTimeoutError

from functions.adapters.aws_errors import ContendedError
from functions.adapters.command_store import CommandStore
from functions.adapters.event_bus import EventBus
from functions.adapters.runtime import Runtime
from functions.command_handler.handler import CommandHandler, Environment, build
from functions.domain.account import Account, Deposit, Stamp, Status, decide, evolve
from tests.functions.calling import (
    Calls,
    FailingClient,
    StoppedClock,
    aws,
    command_table_items,
    parts,
)
from tests.functions.commanding import Answer, log_of, opened, send

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class MeddledStore(CommandStore):
    """Lets something happen between a handler's read and its transaction."""

    def __init__(self, act: Callable[[], object]) -> None:
        super().__init__(aws().dynamodb, "commands")
        self._act = act

    def append(self, *args: Any, **kwargs: Any) -> Any:
        self._act()
        return super().append(*args, **kwargs)


def meddled(act: Callable[[], object]) -> CommandHandler:
    """A handler between whose reads and transactions something happens."""
    whole = parts(StoppedClock())
    environment = whole.environment(Environment)
    return CommandHandler(
        store=MeddledStore(act),
        bus=EventBus(whole.sns, environment.topic_arn),
        clock=whole.clock,
        budget=whole.budget,
        telemetry=whole.telemetry(environment),
    )


def failing(
    operation: str, error: Exception, times: int | None = None
) -> tuple[CommandHandler, FailingClient]:
    """A handler for which calls of an operation fail, and the client that lets them."""
    service = "sns" if operation == "publish" else "dynamodb"
    client = FailingClient(getattr(aws(), service), operation, error, times)
    return build(parts(StoppedClock(), {service: client})), client


def cancelled(*codes: str) -> ClientError:
    response: Any = {
        "Error": {"Code": "TransactionCanceledException", "Message": "cancelled"},
        "CancellationReasons": [{"Code": code} for code in codes],
    }
    return ClientError(response, "TransactWriteItems")


def refused_call(code: str, operation: str = "TransactWriteItems") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, operation)


def test_a_moved_head_is_decided_again(unique: str) -> None:
    account_id = opened(unique, balance=10)
    meddling = [lambda: send("withdraw", account_id, {"amount": 4}).status] * 2

    def act() -> None:
        if meddling:
            meddling.pop()()

    answer = send("withdraw", account_id, {"amount": 2}, handler=meddled(act))
    assert answer.status == 202
    assert answer.body["version"] == 5
    assert [event.version for event in log_of(account_id)] == [1, 2, 3, 4, 5]


def test_a_moved_head_with_if_match_is_refused_with_the_current_version(unique: str) -> None:
    account_id = opened(unique)
    meddling = [lambda: send("deposit", account_id, {"amount": 4})]
    handler = meddled(lambda: meddling and meddling.pop()())
    answer = send("deposit", account_id, {"amount": 1}, if_match='"1"', handler=handler)
    assert (answer.status, answer.body["version"]) == (412, 2)


def test_the_same_key_racing_itself_gives_one_event_and_one_answer(
    unique: str, calls: Calls
) -> None:
    account_id = opened(unique)
    calls.reset()
    winner: list[Answer] = []
    racing = [lambda: winner.append(send("deposit", account_id, {"amount": 4}, key=f"{unique}-k"))]
    handler = meddled(lambda: racing and racing.pop()())
    loser = send("deposit", account_id, {"amount": 4}, key=f"{unique}-k", handler=handler)
    assert winner[0].status == loser.status == 202
    assert loser.body == winner[0].body
    assert loser.headers["Idempotency-Replayed"] == "true"
    # The winner's three calls; the loser learns from its one cancelled transaction.
    assert calls.made == {"GetItem": 2, "TransactWriteItems": 2, "Publish": 1}
    assert len(log_of(account_id)) == 2


def test_an_event_that_does_not_follow_the_head_is_not_appended(unique: str) -> None:
    account_id = opened(unique)
    before = command_table_items(account_id)
    far = Account(account_id, unique, 5, 0, Status.OPEN)
    event = decide(far, Deposit(account_id, 1), Stamp("e", f"{unique}-k", 1))
    with pytest.raises(ContendedError):
        CommandStore(aws().dynamodb, "commands").append(
            event, after=evolve(far, event), expected_version=5, payload_hash="h"
        )
    assert command_table_items(account_id) == before


@pytest.mark.parametrize(
    "error",
    [
        cancelled("None", "TransactionConflict", "None"),
        cancelled("None", "ConditionalCheckFailed", "None"),
        cancelled("ThrottlingError", "None", "None"),
        cancelled("None", "None", "ProvisionedThroughputExceeded"),
        refused_call("ThrottlingException"),
    ],
)
def test_what_contends_is_tried_five_times_and_then_busy(unique: str, error: ClientError) -> None:
    account_id = opened(unique)
    handler, client = failing("transact_write_items", error)
    answer = send("deposit", account_id, {"amount": 1}, handler=handler)
    assert (answer.status, answer.problem) == (409, "busy")
    assert int(answer.headers["Retry-After"]) >= 1
    assert client.failed == 5
    assert len(log_of(account_id)) == 1


def test_what_contends_once_is_accepted(unique: str) -> None:
    account_id = opened(unique)
    conflict = cancelled("None", "TransactionConflict", "None")
    handler, _ = failing("transact_write_items", conflict, times=4)
    assert send("deposit", account_id, {"amount": 1}, handler=handler).status == 202


@pytest.mark.parametrize(
    ("operation", "error"),
    [
        ("transact_write_items", ReadTimeoutError(endpoint_url="there")),
        ("transact_write_items", refused_call("InternalServerError")),
        ("transact_write_items", refused_call("TransactionInProgressException")),
        ("get_item", refused_call("ProvisionedThroughputExceededException", "GetItem")),
        ("get_item", ReadTimeoutError(endpoint_url="there")),
    ],
)
def test_an_unknown_outcome_says_so_and_can_be_retried(
    unique: str, operation: str, error: Exception
) -> None:
    account_id = opened(unique)
    handler, _ = failing(operation, error, times=6)
    answer = send("deposit", account_id, {"amount": 1}, key=f"{unique}-k", handler=handler)
    assert (answer.status, answer.problem) == (503, "unavailable")
    assert "Retry-After" in answer.headers
    assert send("deposit", account_id, {"amount": 1}, key=f"{unique}-k").status == 202
    assert len(log_of(account_id)) == 2


def test_a_failed_publish_is_still_accepted(unique: str) -> None:
    account_id = opened(unique)
    handler, _ = failing("publish", refused_call("NotFound", "Publish"))
    assert send("deposit", account_id, {"amount": 1}, handler=handler).status == 202
    assert command_table_items(account_id)[1]["attempts"] == 0


class RawAnswer(io.BytesIO):
    """The body of an answer, as urllib3 hands it over."""

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.read()


def error_answer(code: str, **members: Any) -> AWSResponse:
    body = {"__type": f"com.amazonaws.dynamodb#{code}", "Message": "no", **members}
    return AWSResponse("there", 400, HTTPHeaders(), RawAnswer(json.dumps(body).encode()))


def scripted(*answers: AWSResponse | Exception) -> CommandHandler:
    """A handler whose transactions are answered in this way, each try of the SDK by the next."""
    left = list(answers)

    def answer_next(**_: Any) -> AWSResponse:
        following = left.pop(0)
        if isinstance(following, Exception):
            raise following
        return following

    whole = Runtime(clock=StoppedClock())
    events: Any = whole.dynamodb.meta.events
    events.register("before-send.dynamodb.TransactWriteItems", answer_next)
    return build(whole)


def conflict() -> AWSResponse:
    reasons = [{"Code": "None"}, {"Code": "TransactionConflict"}, {"Code": "None"}]
    return error_answer("TransactionCanceledException", CancellationReasons=reasons)


def test_after_a_try_that_nobody_answered_contention_is_not_called_busy(unique: str) -> None:
    account_id = opened(unique)
    unanswered = ReadTimeoutError(endpoint_url="there")
    # The SDK tries again by itself, and that try is throttled.
    throttled = error_answer("ThrottlingException")
    handler = scripted(unanswered, throttled, *[conflict() for _ in range(4)])
    answer = send("deposit", account_id, {"amount": 1}, handler=handler)
    assert (answer.status, answer.problem) == (503, "unavailable")


def test_without_such_a_try_the_same_is_busy(unique: str) -> None:
    account_id = opened(unique)
    handler = scripted(*[conflict() for _ in range(5)])
    answer = send("deposit", account_id, {"amount": 1}, handler=handler)
    assert (answer.status, answer.problem) == (409, "busy")


def test_a_try_that_nobody_answered_and_that_took_effect_is_found(unique: str) -> None:
    account_id = opened(unique)
    throttled = ClientError(
        {
            "Error": {"Code": "ThrottlingException", "Message": "no"},
            "ResponseMetadata": {"RetryAttempts": 1, "HTTPStatusCode": 400},  # type: ignore[typeddict-item]
        },
        "TransactWriteItems",
    )

    class Unheard(FailingClient):
        def transact_write_items(self, **parameters: Any) -> Any:
            answer = aws().dynamodb.transact_write_items(**parameters)
            if self.failed:
                return answer
            self.failed += 1
            raise throttled

    client = Unheard(aws().dynamodb, "transact_write_items", throttled)
    handler = build(parts(StoppedClock(), {"dynamodb": client}))
    answer = send("deposit", account_id, {"amount": 1}, handler=handler)
    assert (answer.status, answer.body["version"]) == (202, 2)
    assert answer.headers["Idempotency-Replayed"] == "true"
    assert len(log_of(account_id)) == 2
