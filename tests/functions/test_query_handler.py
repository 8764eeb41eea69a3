"""The Query Handler against the embedded target."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest

from functions.adapters.query_store import QueryStore
from functions.domain.account import CloseAccount, Deposit, Withdraw
from functions.query_handler.handler import LONGEST_HOLD_MS, Environment, QueryHandler, build
from tests.functions.calling import Calls, LambdaContext, StoppedClock, aws, parts, proxy_event
from tests.functions.projecting import deliver, recorded

if TYPE_CHECKING:
    from collections.abc import Callable


def get(
    resource: str,
    identifier: str,
    query: dict[str, str] | None = None,
    *,
    context: LambdaContext | None = None,
    handler: QueryHandler | None = None,
) -> tuple[int, dict[str, Any], dict[str, str]]:
    name = "owner_id" if resource.startswith("/owners") else "account_id"
    event = proxy_event("GET", resource, path={name: identifier}, query=query)
    result = (handler or build(parts())).handle(event, context or LambdaContext())
    return result["statusCode"], json.loads(result["body"]), result["headers"]


ACCOUNT = "/accounts/{account_id}"
STATEMENT = "/accounts/{account_id}/statement"
OWNER_ACCOUNTS = "/owners/{owner_id}/accounts"
OWNER_TOTALS = "/owners/{owner_id}/totals"


@pytest.fixture
def account_id(unique: str) -> str:
    """An account at version 4 with a balance of 12, projected."""
    assert deliver(*recorded(unique, Deposit("a", 10), Withdraw("a", 3), Deposit("a", 5))) == []
    return f"{unique}-a"


def test_an_account_reads_as_the_projection_left_it(
    account_id: str, unique: str, calls: Calls
) -> None:
    calls.reset()
    status, body, headers = get(ACCOUNT, account_id)
    assert calls.made == {"GetItem": 1}
    assert (status, headers["ETag"]) == (200, '"4"')
    assert body == {
        "account_id": account_id,
        "owner_id": f"{unique}-o",
        "balance": 12,
        "status": "open",
        "version": 4,
    }


def test_each_query_is_one_call(account_id: str, unique: str, calls: Calls) -> None:
    for resource, identifier, query in (
        (ACCOUNT, account_id, {"min_version": "4"}),
        (STATEMENT, account_id, {"limit": "4"}),
        (OWNER_ACCOUNTS, f"{unique}-o", None),
        (OWNER_TOTALS, f"{unique}-o", None),
    ):
        calls.reset()
        assert get(resource, identifier, query)[0] == 200
        assert sum(calls.made.values()) == 1


def test_a_token_reads_consistently_and_no_token_does_not(account_id: str) -> None:
    asked: list[bool] = []

    class Asked(QueryStore):
        def account(self, account_id: str, *, consistent: bool) -> Any:
            asked.append(consistent)
            return super().account(account_id, consistent=consistent)

    whole = parts()
    handler = QueryHandler(
        store=Asked(aws().dynamodb, "queries"),
        clock=whole.clock,
        budget=whole.budget,
        telemetry=whole.telemetry(whole.environment(Environment)),
    )
    get(ACCOUNT, account_id, handler=handler)
    get(ACCOUNT, account_id, {"min_version": "1"}, handler=handler)
    assert asked == [False, True]


def test_a_token_ahead_of_the_read_model_is_behind_and_says_where_it_is(account_id: str) -> None:
    status, body, headers = get(ACCOUNT, account_id, {"min_version": "5"})
    assert (status, body["type"], body["version"]) == (409, "urn:tidemark:problem:behind", 4)
    assert int(headers["Retry-After"]) >= 1
    status, body, _ = get(ACCOUNT, f"{account_id}x", {"min_version": "1"})
    assert (status, body["version"]) == (409, 0)
    assert get(ACCOUNT, f"{account_id}x", {"min_version": "0"})[0] == 404
    assert get(ACCOUNT, f"{account_id}x")[0] == 404


def test_waiting_backs_off_and_ends_with_a_read_at_the_deadline(
    account_id: str, calls: Calls
) -> None:
    clock = StoppedClock()
    calls.reset()
    query = {"min_version": "5", "wait_ms": "200"}
    status, _, _ = get(ACCOUNT, account_id, query, handler=build(parts(clock)))
    assert status == 409
    assert sum(clock.pauses) == 200
    assert calls.made["GetItem"] == len(clock.pauses) + 1 < 10


def test_a_reader_holds_the_function_for_a_quarter_of_a_second_however_long_it_would_wait(
    account_id: str,
) -> None:
    clock = StoppedClock()
    query = {"min_version": "5", "wait_ms": "5000"}
    status, body, headers = get(ACCOUNT, account_id, query, handler=build(parts(clock)))
    assert (status, body["type"]) == (409, "urn:tidemark:problem:behind")
    assert headers["Retry-After"] == "1"
    assert sum(clock.pauses) == LONGEST_HOLD_MS == 250


def test_waiting_is_bounded_by_the_time_the_function_has(account_id: str) -> None:
    clock = StoppedClock()
    context = LambdaContext(remaining_ms=1_600)
    query = {"min_version": "5", "wait_ms": "5000"}
    status, _, _ = get(ACCOUNT, account_id, query, context=context, handler=build(parts(clock)))
    assert status == 409
    assert sum(clock.pauses) == 100


def test_waiting_ends_when_the_version_arrives(unique: str) -> None:
    events = recorded(unique, Deposit("a", 10))
    deliver(events[0])

    class Delivering(StoppedClock):
        def pause(self, duration_ms: int) -> None:
            super().pause(duration_ms)
            if len(self.pauses) == 3:
                deliver(events[1])

    clock = Delivering()
    query = {"min_version": "2", "wait_ms": "5000"}
    status, body, _ = get(ACCOUNT, f"{unique}-a", query, handler=build(parts(clock)))
    assert (status, body["version"]) == (200, 2)
    assert len(clock.pauses) == 3


def test_a_statement_is_newest_first(account_id: str) -> None:
    status, body, _ = get(STATEMENT, account_id)
    assert status == 200
    assert "cursor" not in body
    assert [
        (line["version"], line["type"], line["amount"], line["balance"]) for line in body["lines"]
    ] == [
        (4, "FundsDeposited", 5, 12),
        (3, "FundsWithdrawn", 3, 7),
        (2, "FundsDeposited", 10, 10),
        (1, "AccountOpened", 0, 0),
    ]
    assert set(body["lines"][0]) == {"version", "type", "amount", "balance", "recorded_at"}


@pytest.mark.parametrize("limit", [1, 2, 3, 4])
def test_a_statement_in_pages_is_the_whole_statement(account_id: str, limit: int) -> None:
    versions: list[int] = []
    query = {"limit": str(limit)}
    pages = 0
    while True:
        _, body, _ = get(STATEMENT, account_id, query)
        assert 1 <= len(body["lines"]) <= limit
        versions += [line["version"] for line in body["lines"]]
        pages += 1
        if "cursor" not in body:
            break
        query["cursor"] = body["cursor"]
    assert versions == [4, 3, 2, 1]
    assert pages == -(-4 // limit)


def test_a_cursor_is_a_position_and_reaches_no_other_account(account_id: str, unique: str) -> None:
    other = f"{unique}z"
    deliver(*recorded(other, Deposit("a", 77), Deposit("a", 78)))
    _, page, _ = get(STATEMENT, account_id, {"limit": "2"})
    _, body, _ = get(STATEMENT, f"{other}-a", {"cursor": page["cursor"]})
    assert [line["amount"] for line in body["lines"]] == [77, 0]
    _, page, _ = get(OWNER_ACCOUNTS, f"{other}-o", {"cursor": encoded("0")})
    assert [row["account_id"] for row in page["accounts"]] == [f"{other}-a"]


def test_owner_accounts_come_in_pages_by_id(unique: str) -> None:
    for name in ("c", "a", "b"):
        deliver(*recorded(unique, account_id=f"{unique}-{name}"))
    owner_id = f"{unique}-o"
    _, first, _ = get(OWNER_ACCOUNTS, owner_id, {"limit": "2"})
    assert [row["account_id"] for row in first["accounts"]] == [f"{unique}-a", f"{unique}-b"]
    query = {"limit": "2", "cursor": first["cursor"]}
    _, second, _ = get(OWNER_ACCOUNTS, owner_id, query)
    assert [row["account_id"] for row in second["accounts"]] == [f"{unique}-c"]
    assert "cursor" not in second
    assert set(second["accounts"][0]) == {"account_id", "owner_id", "balance", "status", "version"}


def test_totals_count_closed_accounts_too(unique: str) -> None:
    deliver(*recorded(unique, Deposit("a", 10), account_id=f"{unique}-a"))
    deliver(*recorded(unique, CloseAccount("a"), account_id=f"{unique}-b"))
    owner_id = f"{unique}-o"
    status, body, _ = get(OWNER_TOTALS, owner_id)
    assert (status, body) == (200, {"owner_id": owner_id, "accounts": 2, "balance": 10})


def test_an_owner_without_accounts_has_none(unique: str) -> None:
    assert get(OWNER_ACCOUNTS, unique)[:2] == (200, {"accounts": []})
    assert get(OWNER_TOTALS, unique)[1] == {"owner_id": unique, "accounts": 0, "balance": 0}


def test_no_account_has_no_statement(unique: str) -> None:
    status, body, headers = get(STATEMENT, unique)
    assert (status, body["type"]) == (404, "urn:tidemark:problem:no-such-account")
    assert headers["Content-Type"] == "application/problem+json"


def encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    ("resource", "field", "value"),
    [
        (ACCOUNT, "min_version", value)
        for value in ("-1", "1.0", "x", "", "1e3", "01", "9" * 13, "9" * 5_000, "\u0661")
    ]
    + [(ACCOUNT, "wait_ms", value) for value in ("-1", "5001", "x", "9" * 400)]
    + [(STATEMENT, "limit", value) for value in ("0", "-1", "101", "1000000000", "ten")]
    + [(OWNER_ACCOUNTS, "limit", value) for value in ("0", "1000000000")]
    + [
        (STATEMENT, "cursor", value)
        for value in (
            "",
            "x",
            "%%%",
            "\u00e4",
            encoded("0"),
            encoded("1"),
            encoded("-4"),
            encoded("04"),
            encoded("4") + "=",
            encoded("4\n"),
            encoded("9" * 13),
            encoded("account#other"),
        )
    ]
    + [(OWNER_ACCOUNTS, "cursor", value) for value in ("", encoded("a/b"), encoded("a#b"))],
)
def test_a_malformed_parameter_is_named(
    unique: str, resource: str, field: str, value: str, calls: Calls
) -> None:
    status, body, _ = get(resource, unique, {field: value})
    assert (status, body["type"], body["field"]) == (400, "urn:tidemark:problem:malformed", field)
    assert not calls.made


@pytest.mark.parametrize("resource", [ACCOUNT, STATEMENT, OWNER_ACCOUNTS, OWNER_TOTALS])
@pytest.mark.parametrize("identifier", ["a%2Fb", "a/b", "ä", "\x00", "a" * 129])
def test_a_malformed_id_is_named(resource: str, identifier: str) -> None:
    status, body, _ = get(resource, identifier)
    assert status == 400
    assert body["field"] == ("owner_id" if "owner" in resource else "account_id")


def test_a_read_model_that_does_not_answer_is_unavailable(unique: str) -> None:
    gone = build(parts(QUERY_TABLE_NAME="gone"))
    status, body, headers = get(ACCOUNT, unique, handler=gone)
    assert (status, body["type"]) == (503, "urn:tidemark:problem:unavailable")
    assert "Retry-After" in headers


def metrics(lines: list[dict[str, Any]]) -> dict[str, list[float]]:
    """The metrics among some log lines, by name."""
    return {
        metric["Name"]: line[metric["Name"]]
        for line in lines
        if "_aws" in line
        for metric in line["_aws"]["CloudWatchMetrics"][0]["Metrics"]
    }


def test_every_read_is_counted_by_its_operation_or_by_why_it_was_not_answered(
    account_id: str, unique: str, printed: Callable[[], list[dict[str, Any]]]
) -> None:
    for resource, identifier, query, counted in (
        (ACCOUNT, account_id, None, "AccountReads"),
        (STATEMENT, account_id, None, "StatementReads"),
        (OWNER_ACCOUNTS, f"{unique}-o", None, "OwnerAccountsReads"),
        (OWNER_TOTALS, f"{unique}-o", None, "OwnerTotalsReads"),
        (ACCOUNT, account_id, {"min_version": "5"}, "ReadsBehind"),
        (ACCOUNT, f"{unique}-x", None, "ReadsRefused"),
        (ACCOUNT, account_id, {"min_version": "x"}, "ReadsRefused"),
    ):
        printed()
        get(resource, identifier, query)
        assert metrics(printed()) == {counted: [1.0]}
    get(ACCOUNT, account_id, handler=build(parts(QUERY_TABLE_NAME="gone")))
    assert metrics(printed()) == {"ReadsUnavailable": [1.0]}


def test_a_read_that_waited_says_how_long(
    account_id: str, printed: Callable[[], list[dict[str, Any]]]
) -> None:
    for least, wait_ms, waited in (("4", "200", {}), ("5", "200", {"ReadWait": [200.0]})):
        printed()
        query = {"min_version": least, "wait_ms": wait_ms}
        get(ACCOUNT, account_id, query, handler=build(parts(StoppedClock())))
        outcome = "ReadsBehind" if waited else "AccountReads"
        assert metrics(printed()) == {outcome: [1.0], **waited}
