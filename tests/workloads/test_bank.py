from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
import yaml

from tidemark.api.client import Client
from tidemark.api.exchange import Answer, Headers, Request
from tidemark.workloads.bank import Bank, log_partition

if TYPE_CHECKING:
    from collections.abc import Callable

    from tidemark.api.op import Op

OPENAPI = Path(__file__).parents[2] / "stack" / "openapi.yaml"

CALLS: dict[str, tuple[Callable[[Bank], Op], str, str, dict[str, Any] | None]] = {
    "open_account": (
        lambda bank: bank.open_account(owner_id="o", account_id="a"),
        "POST",
        "/accounts",
        {"owner_id": "o", "account_id": "a"},
    ),
    "open_account, id made": (
        lambda bank: bank.open_account(owner_id="o"),
        "POST",
        "/accounts",
        {"owner_id": "o"},
    ),
    "deposit": (lambda bank: bank.deposit("a", 5), "POST", "/accounts/a/deposits", {"amount": 5}),
    "withdraw": (
        lambda bank: bank.withdraw("a", 5),
        "POST",
        "/accounts/a/withdrawals",
        {"amount": 5},
    ),
    "close": (lambda bank: bank.close("a"), "POST", "/accounts/a/closure", None),
    "account": (lambda bank: bank.account("a"), "GET", "/accounts/a", None),
    "account, token": (
        lambda bank: bank.account("a", min_version=2, wait_ms=50),
        "GET",
        "/accounts/a?min_version=2&wait_ms=50",
        None,
    ),
    "statement": (lambda bank: bank.statement("a"), "GET", "/accounts/a/statement", None),
    "statement, page": (
        lambda bank: bank.statement("a", limit=3, cursor="c="),
        "GET",
        "/accounts/a/statement?limit=3&cursor=c%3D",
        None,
    ),
    "owner_accounts": (
        lambda bank: bank.owner_accounts("o", limit=1),
        "GET",
        "/owners/o/accounts?limit=1",
        None,
    ),
    "owner_totals": (lambda bank: bank.owner_totals("o"), "GET", "/owners/o/totals", None),
}


def asked(call: Callable[[Bank], Op]) -> tuple[Request, Op]:
    requests: list[Request] = []

    def transport(request: Request) -> Answer:
        requests.append(request)
        return Answer(200, Headers({}), b"{}")

    op = call(Bank(Client(api_url="http://h", region="r", credentials=None, transport=transport)))
    return requests[0], op


@pytest.mark.parametrize("name", CALLS)
def test_each_operation_asks_for_what_it_says(name: str) -> None:
    call, method, target, body = CALLS[name]
    request, op = asked(call)
    assert (request.method, request.url) == (method, f"http://h{target}")
    assert (json.loads(request.body) if request.body else None) == body
    assert op.operation == name.partition(",")[0]


def test_the_api_has_every_route_and_every_route_has_its_operation() -> None:
    specified = {
        (method.upper(), _anonymous(path))
        for path, operations in yaml.safe_load(OPENAPI.read_text())["paths"].items()
        for method in operations
        if method in {"get", "post"}
    }
    known = set()
    for call, *_ in CALLS.values():
        method, _, template = asked(call)[1].route.partition(" ")
        known.add((method, _anonymous(template)))
    assert known == specified


def test_ids_are_encoded_into_one_segment() -> None:
    request, _ = asked(lambda bank: bank.deposit("a/../b?", 5))
    assert urlsplit(request.url).path == "/accounts/a%2F..%2Fb%3F/deposits"


def test_the_log_partition_of_an_account_is_that_of_the_command_table() -> None:
    assert log_partition("a-1") == "account#a-1"


def _anonymous(template: str) -> str:
    return "/".join("{}" if part.startswith("{") else part for part in template.split("/"))
