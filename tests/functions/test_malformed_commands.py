"""Commands that are not well formed: each answer names the field, and nothing is asked of AWS."""

from __future__ import annotations

import json
from typing import Any

import pytest

from functions.command_handler.handler import build
from tests.functions.calling import Calls, LambdaContext, parts, proxy_event
from tests.functions.commanding import send

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


def test_the_first_unknown_field_is_named(unique: str) -> None:
    unknown = {f"{unique}{number}": number for number in range(9, -1, -1)}
    answer = send("deposit", f"{unique}-a", {"amount": 1, **unknown})
    assert answer.body["field"] == f"{unique}9"
