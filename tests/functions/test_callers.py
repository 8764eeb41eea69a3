"""An idempotency key belongs to its caller: who that is, and what a stranger's same key does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from functions.adapters.http import from_proxy
from tests.functions.calling import aws, proxy_event
from tests.functions.commanding import log_of, opened, send

if TYPE_CHECKING:
    from collections.abc import Callable

USER = {
    "accessKey": "AKIAUSER",
    "accountId": "123456789012",
    "caller": "AIDAUSER",
    "user": "AIDAUSER",
    "userArn": "arn:aws:iam::123456789012:user/ada",
}
STRANGER = USER | {"caller": "AIDASTRANGER", "user": "AIDASTRANGER", "accessKey": "AKIASTRANGER"}


def session(name: str, access_key: str) -> dict[str, str]:
    """What the gateway says of one session of a role."""
    caller = f"AROAROLE:{name}"
    arn = f"arn:aws:sts::123456789012:assumed-role/teller/{name}"
    return {"accessKey": access_key, "caller": caller, "user": caller, "userArn": arn}


@pytest.mark.parametrize(
    ("identity", "caller"),
    [
        (USER, "AIDAUSER"),
        (session("ada", "ASIAONE"), "AROAROLE"),
        ({"caller": "123456789012"}, "123456789012"),
        ({"caller": "123456789012:ada"}, "123456789012:ada"),
        ({"caller": None, "sourceIp": "127.0.0.1"}, "-"),
        ({"caller": ""}, "-"),
        ({"caller": ":ada"}, "-"),
        ({}, "-"),
        (None, "-"),
        ({"caller": "AIDA#USER"}, "AIDA%23USER"),
        ({"caller": "AIDA%23USER"}, "AIDA%2523USER"),
        ({"caller": "123456789012:ada#k"}, "123456789012:ada%23k"),
    ],
)
def test_the_caller_is_the_principal_as_iam_verified_it(identity: Any, caller: str) -> None:
    assert from_proxy(proxy_event("POST", "/accounts", identity=identity)).caller == caller


def test_a_gateway_that_says_nothing_of_a_request_names_no_caller() -> None:
    event = proxy_event("POST", "/accounts")
    for context in ({}, {"identity": None}, None):
        assert from_proxy(event | {"requestContext": context}).caller == "-"
    del event["requestContext"]
    assert from_proxy(event).caller == "-"


def test_a_strangers_same_key_is_just_another_key(unique: str) -> None:
    account_id, key = opened(unique), f"{unique}-k"
    first = send("deposit", account_id, {"amount": 5}, key=key, identity=USER)
    other = send("deposit", account_id, {"amount": 5}, key=key, identity=STRANGER)
    again = send("deposit", account_id, {"amount": 5}, key=key, identity=USER)
    assert (first.body["version"], other.body["version"], again.body["version"]) == (2, 3, 2)
    assert "Idempotency-Replayed" not in other.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    # Neither another payload nor a refusal tells the stranger that the key is taken.
    withdrawn = send("withdraw", account_id, {"amount": 10}, key=key, identity=None)
    assert (withdrawn.status, withdrawn.body["version"]) == (202, 4)
    assert send("withdraw", account_id, {"amount": 1}, key=key, identity={}).problem == "key-reused"


def test_a_stranger_cannot_take_a_key_away(unique: str) -> None:
    account_id, key = opened(unique, balance=5), f"{unique}-next"
    assert send("deposit", account_id, {"amount": 1}, key=key, identity=STRANGER).status == 202
    mine = send("withdraw", account_id, {"amount": 6}, key=key, identity=USER)
    assert (mine.status, mine.body["version"]) == (202, 4)


def test_a_refreshed_session_of_a_role_keeps_its_keys(unique: str) -> None:
    account_id, key = opened(unique), f"{unique}-k"
    before, after = session("one", "ASIAONE"), session("two", "ASIATWO")
    first = send("deposit", account_id, {"amount": 5}, key=key, identity=before)
    again = send("deposit", account_id, {"amount": 5}, key=key, identity=after)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.body == first.body
    assert len(log_of(account_id)) == 2


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (({"caller": "AIDA"}, "1#{}"), ({"caller": "AIDA#1"}, "{}")),
        (({"caller": "AIDA#1"}, "{}"), ({"caller": "AIDA%231"}, "{}")),
        ((None, "{}#1"), ({"caller": "-#{}"}, "1")),
        ((None, "AIDA#{}"), ({"caller": "AIDA"}, "{}")),
    ],
)
def test_no_caller_and_key_look_like_another_caller_and_key(
    unique: str, one: tuple[Any, str], other: tuple[Any, str]
) -> None:
    account_id = opened(unique)
    for version, (identity, key) in enumerate((one, other), start=2):
        named = identity and {"caller": identity["caller"].format(unique)}
        done = send("deposit", account_id, {"amount": 5}, key=key.format(unique), identity=named)
        assert (done.status, done.body["version"]) == (202, version)


def test_event_record_and_log_line_name_caller_and_key(
    unique: str, printed: Callable[[], list[dict[str, Any]]]
) -> None:
    account_id = opened(unique)
    printed()
    identity = session("ada", "ASIASECRET")
    send("deposit", account_id, {"amount": 5}, key=f"{unique}#k", identity=identity)
    line, _ = printed()
    command_id = f"AROAROLE#{unique}#k"
    assert line["command_id"] == command_id
    assert "ASIASECRET" not in str(line)
    assert log_of(account_id)[-1].command_id == command_id
    key = {"pk": {"S": f"command#{command_id}"}, "sk": {"S": "command"}}
    assert "Item" in aws().dynamodb.get_item(TableName="commands", Key=key, ConsistentRead=True)
