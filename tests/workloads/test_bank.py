from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
import yaml

from tidemark.workloads import bank

if TYPE_CHECKING:
    from tidemark.api.call import Call

OPENAPI = Path(__file__).parents[2] / "stack" / "openapi.yaml"

CALLS: dict[str, tuple[Call, str, str, dict[str, Any] | None]] = {
    "open_account": (
        bank.open_account(owner_id="o", account_id="a"),
        "POST",
        "/accounts",
        {"owner_id": "o", "account_id": "a"},
    ),
    "open_account, id made": (
        bank.open_account(owner_id="o"),
        "POST",
        "/accounts",
        {"owner_id": "o"},
    ),
    "deposit": (bank.deposit("a", 5), "POST", "/accounts/a/deposits", {"amount": 5}),
    "withdraw": (bank.withdraw("a", 5), "POST", "/accounts/a/withdrawals", {"amount": 5}),
    "close": (bank.close("a"), "POST", "/accounts/a/closure", None),
    "account": (bank.account("a"), "GET", "/accounts/a", None),
    "account, token": (
        bank.account("a", min_version=2, wait_ms=50),
        "GET",
        "/accounts/a?min_version=2&wait_ms=50",
        None,
    ),
    "statement": (bank.statement("a"), "GET", "/accounts/a/statement", None),
    "statement, page": (
        bank.statement("a", limit=3, cursor="c="),
        "GET",
        "/accounts/a/statement?limit=3&cursor=c%3D",
        None,
    ),
    "owner_accounts": (
        bank.owner_accounts("o", limit=1),
        "GET",
        "/owners/o/accounts?limit=1",
        None,
    ),
    "owner_totals": (bank.owner_totals("o"), "GET", "/owners/o/totals", None),
}


@pytest.mark.parametrize("name", CALLS)
def test_each_operation_asks_for_what_it_says(name: str) -> None:
    call, method, target, body = CALLS[name]
    request = call.request("http://h")
    assert (request.method, request.url) == (method, f"http://h{target}")
    assert (json.loads(request.body) if request.body else None) == body
    assert call.operation == name.partition(",")[0]


def test_the_api_has_every_route_and_every_route_has_its_operation() -> None:
    specified = {
        (method.upper(), _anonymous(path))
        for path, operations in yaml.safe_load(OPENAPI.read_text())["paths"].items()
        for method in operations
        if method in {"get", "post"}
    }
    known = set()
    for call, *_ in CALLS.values():
        method, _, template = call.route.partition(" ")
        known.add((method, _anonymous(template)))
    assert known == specified


def test_each_command_can_be_pinned_to_a_version() -> None:
    for plain, pinned in (
        (bank.open_account(owner_id="o"), bank.open_account(owner_id="o", expected_version=3)),
        (bank.deposit("a", 5), bank.deposit("a", 5, expected_version=3)),
        (bank.withdraw("a", 5), bank.withdraw("a", 5, expected_version=3)),
        (bank.close("a"), bank.close("a", expected_version=3)),
    ):
        assert pinned == replace(plain, expected_version=3)


def test_ids_are_encoded_into_one_segment() -> None:
    request = bank.deposit("a/../b?", 5).request("http://h")
    assert urlsplit(request.url).path == "/accounts/a%2F..%2Fb%3F/deposits"


def _anonymous(template: str) -> str:
    return "/".join("{}" if part.startswith("{") else part for part in template.split("/"))
