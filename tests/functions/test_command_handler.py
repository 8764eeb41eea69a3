"""The Command Handler against the embedded target."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from functions.adapters.command_store import CommandStore
from functions.command_handler.handler import build
from functions.domain.account import evolve
from tests.functions.calling import Calls, StoppedClock, aws, command_table_items, parts
from tests.functions.commanding import CLOCK, log_of, opened, send

if TYPE_CHECKING:
    from collections.abc import Callable


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
    assert (event["attempts"], event["command_id"]) == (0, f"-#{unique}-k")
    assert (head["version"], head["balance"], head["status"]) == (2, 7, "open")
    record = CommandStore(aws().dynamodb, "commands").record(f"-#{unique}-k", now_ms=CLOCK.now_ms())
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
