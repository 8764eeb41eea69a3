"""The Command Handler against the embedded target."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from functions.adapters.clock import Clock
from functions.adapters.command_store import CommandStore
from functions.adapters.event_bus import EventBus
from functions.adapters.transactions import ContendedError
from functions.command_handler.handler import CommandHandler, Environment, build
from functions.domain.account import Account, Deposit, Event, Stamp, Status, decide, evolve
from tests.functions.calling import (
    Calls,
    FailingClient,
    LambdaContext,
    StoppedClock,
    aws,
    command_table_items,
    parts,
    proxy_event,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

CLOCK = Clock()

ROUTES = {
    "open": "/accounts",
    "deposit": "/accounts/{account_id}/deposits",
    "withdraw": "/accounts/{account_id}/withdrawals",
    "close": "/accounts/{account_id}/closure",
}


@dataclass
class Answer:
    status: int
    headers: Mapping[str, str]
    body: dict[str, Any]

    @property
    def problem(self) -> str:
        return str(self.body["type"]).removeprefix("urn:tidemark:problem:")


def send(
    operation: str,
    account_id: str | None = None,
    body: Any = None,
    *,
    key: str | None = None,
    if_match: str | None = None,
    headers: dict[str, str] | None = None,
    handler: CommandHandler | None = None,
) -> Answer:
    sent = {"Idempotency-Key": CLOCK.new_id() if key is None else key} | (headers or {})
    if if_match is not None:
        sent["if-match"] = if_match
    event = proxy_event(
        "POST",
        ROUTES[operation],
        path=None if account_id is None else {"account_id": account_id},
        headers=sent,
        body=body,
    )
    result = (handler or build(parts())).handle(event, LambdaContext())
    return Answer(result["statusCode"], result["headers"], json.loads(result["body"]))


def opened(unique: str, *, balance: int = 0) -> str:
    account_id = f"{unique}-a"
    assert send("open", body={"account_id": account_id, "owner_id": unique}).status == 202
    if balance:
        assert send("deposit", account_id, {"amount": balance}).status == 202
    return account_id


def log_of(account_id: str) -> list[Event]:
    store = CommandStore(aws().dynamodb, "commands")
    return list(store.events(account_id, after=0, before=10**6))


def test_an_accepted_command_leaves_event_head_and_record(unique: str) -> None:
    account_id = opened(unique)
    answer = send("deposit", account_id, {"amount": 7}, key=f"{unique}-k")
    assert answer.status == 202
    assert answer.body["account_id"] == account_id
    assert answer.headers["ETag"] == '"2"'
    assert answer.headers["Location"] == f"../../accounts/{account_id}"
    _, event, head = command_table_items(account_id)
    assert event["event_id"] == answer.body["event_id"]
    assert (event["type"], event["data"]) == ("FundsDeposited", {"amount": 7, "balance": 7})
    assert event["due"] > event["recorded_at"]
    assert (event["attempts"], event["command_id"]) == (0, f"{unique}-k")
    assert (head["version"], head["balance"], head["status"]) == (2, 7, "open")
    record = CommandStore(aws().dynamodb, "commands").record(f"{unique}-k", now_ms=CLOCK.now_ms())
    assert record is not None
    assert (record.version, record.event_id) == (2, answer.body["event_id"])


def test_an_accepted_command_costs_three_calls_and_a_refused_one_two(
    unique: str, calls: Calls
) -> None:
    account_id = opened(unique)
    calls.reset()
    assert send("deposit", account_id, {"amount": 1}).status == 202
    assert calls.made == {"GetItem": 1, "TransactWriteItems": 1, "Publish": 1}
    calls.reset()
    assert send("withdraw", account_id, {"amount": 2}).status == 422
    assert calls.made == {"GetItem": 2}


def test_the_caller_may_leave_the_id_to_the_bank(unique: str) -> None:
    first = send("open", body={"owner_id": unique}, key=f"{unique}-k")
    again = send("open", body={"owner_id": unique}, key=f"{unique}-k")
    assert first.status == again.status == 202
    assert first.headers["Location"] == f"./accounts/{first.body['account_id']}"
    assert first.body == again.body
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"


@pytest.mark.parametrize("case", ["open", "withdraw everything", "close", "if-match"])
def test_a_retry_is_answered_as_before_although_the_rule_now_refuses(
    unique: str, case: str
) -> None:
    account_id, key = f"{unique}-a", f"{unique}-k"
    operation, body, if_match, balance = {
        "open": ("open", {"account_id": account_id, "owner_id": unique}, None, 0),
        "withdraw everything": ("withdraw", {"amount": 5}, None, 5),
        "close": ("close", None, None, 0),
        "if-match": ("deposit", {"amount": 1}, '"1"', 0),
    }[case]
    if operation != "open":
        opened(unique, balance=balance)
    on = None if operation == "open" else account_id
    first = send(operation, on, body, key=key, if_match=if_match)
    events = len(log_of(account_id))
    again = send(operation, on, body, key=key, if_match=if_match)
    assert (first.status, again.status) == (202, 202)
    assert again.body == first.body
    assert again.headers["ETag"] == first.headers["ETag"]
    assert again.headers["Idempotency-Replayed"] == "true"
    assert len(log_of(account_id)) == events


def test_a_key_stands_for_one_payload_on_one_account(unique: str) -> None:
    account_id = opened(unique)
    other = f"{unique}-b"
    assert send("open", body={"account_id": other, "owner_id": unique}).status == 202
    key = f"{unique}-k"
    assert send("deposit", account_id, {"amount": 5}, key=key).status == 202
    for operation, on, body in (
        ("deposit", account_id, {"amount": 6}),
        ("deposit", other, {"amount": 5}),
        ("withdraw", account_id, {"amount": 5}),
        ("withdraw", account_id, {"amount": 50}),  # a rule would refuse it, too
        ("close", account_id, None),
    ):
        answer = send(operation, on, body, key=key)
        assert (answer.status, answer.problem) == (422, "key-reused")
    assert len(log_of(account_id)) == 2
    assert len(log_of(other)) == 1


def test_a_refusal_is_not_remembered(unique: str) -> None:
    account_id = opened(unique)
    key = f"{unique}-k"
    refused = send("withdraw", account_id, {"amount": 5}, key=key)
    assert (refused.status, refused.problem) == (422, "insufficient-funds")
    assert send("deposit", account_id, {"amount": 5}).status == 202
    assert send("withdraw", account_id, {"amount": 5}, key=key).status == 202


def test_a_key_is_free_again_after_its_window(unique: str) -> None:
    account_id = opened(unique)
    key = f"{unique}-k"
    assert send("deposit", account_id, {"amount": 5}, key=key).status == 202
    later = build(parts(StoppedClock(CLOCK.now_ms() + 24 * 3_600_000 + 1_000)))
    second = send("deposit", account_id, {"amount": 5}, key=key, handler=later)
    assert second.status == 202
    assert second.body["version"] == 3


@pytest.mark.parametrize(
    ("if_match", "status"), [('"1"', 202), ("*", 202), ('"0"', 412), ('"2"', 412)]
)
def test_if_match_pins_the_version(unique: str, if_match: str, status: int) -> None:
    answer = send("deposit", opened(unique), {"amount": 1}, if_match=if_match)
    assert answer.status == status
    if status == 412:
        assert answer.problem == "precondition-failed"
        assert answer.body["version"] == 1
        assert answer.headers["ETag"] == '"1"'


def test_a_missing_account_is_told_before_a_precondition_and_a_rule_after_it(unique: str) -> None:
    missing = send("deposit", f"{unique}-x", {"amount": 1}, if_match='"1"')
    assert (missing.status, missing.problem) == (404, "no-such-account")
    account_id = opened(unique)
    assert send("withdraw", account_id, {"amount": 1}, if_match='"9"').status == 412
    assert send("withdraw", account_id, {"amount": 1}, if_match='"1"').status == 422
    exists = {"account_id": account_id, "owner_id": unique}
    assert send("open", body=exists, if_match="*").problem == "already-exists"
    fresh = {"account_id": f"{unique}-y", "owner_id": unique}
    assert send("open", body=fresh, if_match="*").status == 412
    assert send("open", body=fresh, if_match='"0"').status == 202


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


_NO_AMOUNTS: list[Any] = [0, -1, 1.5, 1.0, 2**53, 10**30, "1", True, None, [1], {}]
MALFORMED: list[tuple[str, Any, str]] = [
    ("deposit", "{", "body"),
    ("deposit", "[]", "body"),
    ("deposit", "1", "body"),
    ("deposit", "", "amount"),
    ("deposit", "{}", "amount"),
    ("deposit", '{"amount": 1, "amount": 2}', "body"),
    ("deposit", '{"amount": NaN}', "body"),
    ("deposit", "[" * 100_000, "body"),
    ("deposit", '{"amount": ' + "9" * 5_000 + "}", "body"),
    ("deposit", {"amount": 1, "note": "x"}, "note"),
    *[("withdraw", {"amount": amount}, "amount") for amount in _NO_AMOUNTS],
    ("open", {}, "owner_id"),
    ("open", {"owner_id": 1}, "owner_id"),
    ("open", {"owner_id": "o", "account_id": None}, "account_id"),
    *[
        ("open", {"owner_id": "o", "account_id": odd}, "account_id")
        for odd in ("", "a/b", "a#b", "ä", "a\n", "a\x00", "-a", "..", " a", "a" * 129, "\ud800")
    ],
    ("close", {"amount": 1}, "amount"),
]


@pytest.mark.parametrize(("operation", "body", "field"), MALFORMED)
def test_a_malformed_body_names_the_field(
    unique: str, operation: str, body: Any, field: str, calls: Calls
) -> None:
    answer = send(operation, None if operation == "open" else f"{unique}-a", body)
    assert (answer.status, answer.problem, answer.body["field"]) == (400, "malformed", field)
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert not calls.made


@pytest.mark.parametrize("key", ["", "a" * 256, "ä", "a\x7f", "a\tb"])
def test_a_malformed_key_is_named(unique: str, key: str) -> None:
    answer = send("deposit", f"{unique}-a", {"amount": 1}, key=key)
    assert (answer.status, answer.body["field"]) == (400, "Idempotency-Key")


def test_a_key_is_required() -> None:
    event = proxy_event("POST", "/accounts", body={"owner_id": "o"})
    result = build(parts()).handle(event, LambdaContext())
    assert result["statusCode"] == 400
    assert json.loads(result["body"])["field"] == "Idempotency-Key"


@pytest.mark.parametrize("etag", ["1", 'W/"1"', '"x"', '"01"', '"1", "2"', '"-1"', '""', ""])
def test_a_malformed_if_match_is_named(unique: str, etag: str) -> None:
    answer = send("deposit", f"{unique}-a", {"amount": 1}, if_match=etag)
    assert (answer.status, answer.body["field"]) == (400, "If-Match")


@pytest.mark.parametrize("account_id", ["a%2Fb", "a/b", "ä", "a b", "#", "a" * 129])
def test_a_malformed_path_id_is_named(account_id: str) -> None:
    answer = send("deposit", account_id, {"amount": 1})
    assert (answer.status, answer.body["field"]) == (400, "account_id")


def test_a_body_that_is_not_text_is_malformed() -> None:
    event = proxy_event("POST", "/accounts", headers={"Idempotency-Key": "k"}, body="/w==")
    event["isBase64Encoded"] = True
    result = build(parts()).handle(event, LambdaContext())
    assert result["statusCode"] == 400
    assert json.loads(result["body"])["field"] == "body"


def test_nothing_secret_is_logged(unique: str, printed: Callable[[], list[dict[str, Any]]]) -> None:
    secret = {"Authorization": "AWS4-HMAC-SHA256 Signature=cafe", "X-Amz-Security-Token": "t0ken"}
    account_id = opened(unique)
    assert send("deposit", account_id, {"amount": 1}, headers=secret).status == 202
    assert send("deposit", account_id, {"amount": 0}, headers=secret).status == 400
    lines = printed()
    assert account_id in [line.get("account_id") for line in lines]
    assert "cafe" not in str(lines)
    assert "t0ken" not in str(lines)


def test_each_invocation_leaves_one_line_and_its_metrics(
    unique: str, printed: Callable[[], list[dict[str, Any]]]
) -> None:
    account_id = opened(unique)
    printed()
    send("deposit", account_id, {"amount": 1})
    line, metrics = printed()
    assert (line["message"], line["outcome"], line["version"]) == ("invocation", "accepted", 2)
    directive = metrics["_aws"]["CloudWatchMetrics"][0]
    assert directive["Namespace"] == "Tidemark"
    assert directive["Dimensions"] == [["stack"]]
    assert metrics["stack"] == "Test"
    assert metrics["CommandsAccepted"] == [1.0]


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(
        st.tuples(st.sampled_from(["deposit", "withdraw", "close"]), st.integers(1, 5)),
        max_size=12,
    )
)
def test_any_sequence_leaves_a_gapless_log_whose_fold_is_the_head(
    commands: list[tuple[str, int]],
) -> None:
    account_id = opened(CLOCK.new_id())
    accepted = 1
    for operation, amount in commands:
        body = None if operation == "close" else {"amount": amount}
        accepted += send(operation, account_id, body).status == 202
    *_, head = command_table_items(account_id)
    account = None
    for event in log_of(account_id):
        account = evolve(account, event)
        assert account.balance >= 0
    assert account is not None
    assert (head["version"], head["balance"], head["status"]) == (
        account.version,
        account.balance,
        account.status.value,
    )
    assert account.version == accepted
