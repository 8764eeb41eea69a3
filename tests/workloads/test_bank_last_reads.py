"""What the bank's API shows in the end is read as a user would, for a purpose of its own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Self

import pytest
from botocore.credentials import Credentials

from tests.history.test_writing import DEPLOYMENT
from tidemark.api.exchange import Answer, Headers, LostError
from tidemark.api.session import Writer
from tidemark.workloads import bank_last_reads
from tidemark.workloads.workload import Asking

if TYPE_CHECKING:
    from tidemark.api.exchange import Request
    from tidemark.api.op import Op


class Connection:
    ca_bundle = None


class Clients:
    connection = Connection()
    credentials = Credentials("key", "secret")


class Api:
    """Answers every query; the accounts of an owner are two pages."""

    is_gone = False

    def __init__(self, **_: object) -> None:
        pass

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def __call__(self, request: Request) -> Answer:
        if self.is_gone:
            raise LostError("gone")
        is_first = request.url.endswith("/owners/o/accounts?limit=100")
        body: dict[str, Any] = {"version": 2} | ({"cursor": "c"} if is_first else {})
        return Answer(200, Headers({}), json.dumps(body).encode())


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Op]:
    monkeypatch.setattr(bank_last_reads, "HttpxTransport", Api)
    return []


def ask(sink: list[Op]) -> None:
    session = Writer("run", "export").session("final")
    bank_last_reads.ask(
        Asking(DEPLOYMENT, Clients(), session, sink.append, {"a": 2}, ["o"])  # type: ignore[arg-type]  # what is used of them is there
    )


def test_accounts_statements_totals_and_all_pages_of_an_owner_are_read(asked: list[Op]) -> None:
    ask(asked)

    assert [one.operation for one in asked] == [
        "account",
        "statement",
        "owner_totals",
        "owner_accounts",
        "owner_accounts",
    ]
    assert {one.purpose for one in asked} == {"final"}
    assert asked[0].call.token == 2


def test_an_api_that_does_not_answer_is_asked_once(
    asked: list[Op], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Api, "is_gone", True)

    ask(asked)

    assert [one.outcome for one in asked] == ["info"]
