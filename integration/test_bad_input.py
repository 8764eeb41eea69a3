"""Whatever is sent, the answer is a 4xx that names what is wrong, and nothing is stored."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from integration.accounts import Names, accepted, outside
from integration.facts import await_projected
from integration.ledger import assert_sides_agree
from integration.raw import as_it_is, ask, json_of, problem_of
from tidemark.api.exchange import Answer
from tidemark.workloads import bank

if TYPE_CHECKING:
    from collections.abc import Iterator

    from integration.site import Site
    from tidemark.api.client import Client
    from tidemark.host.deployment import Deployment
    from tidemark.testing.capabilities import Capabilities
    from tidemark.testing.testbed import Testbed
    from tidemark.workloads.bank_tables import BankTables

AssertMalformed = Callable[[Answer, str], None]

LONG_ID = "a" * 129
BAD_IDS = {
    "slash": "a/b",
    "empty": "",
    "129 characters": LONG_ID,
    "unicode": "konto-é",
    "control character": "a\u0000b",
    "line break": "a\n",
    "blank": "a b",
    "leading dot": ".a",
    "number": 5,
    "null": None,
    "list": ["a"],
}
BAD_AMOUNTS = {
    "negative": "-1",
    "zero": "0",
    "fractional": "1.5",
    "whole but a float": "5.0",
    "2^53": str(2**53),
    "huge": "1" + "0" * 400,
    "exponent": "1e400",
    "text": '"5"',
    "true": "true",
    "null": "null",
    "list": "[5]",
    "object": "{}",
}
BAD_BODIES = {
    "torn": '{"amount": 5',
    "no JSON": "amount=5",
    "list": "[5]",
    "text": '"amount"',
    "number": "5",
    "null": "null",
    "NaN": '{"amount": NaN}',
    "infinity": '{"amount": Infinity}',
    "a field twice": '{"amount": 5, "amount": 6}',
}
ODD_BODIES = {"not UTF-8": b'{"amount": \xff}', "too deep": "[" * 100_000}


@pytest.fixture
def client(site: Site) -> Client:
    """Of no run, for what is sent here goes past every client."""
    return outside(site.client, "bad-input")


@pytest.fixture(scope="module")
def account_id(site: Site, tables: BankTables) -> str:
    """An account that is at version 1, whatever these tests send."""
    client = outside(site.client, "bad-input")
    names = Names.of(client)
    opened = accepted(
        client.run(bank.open_account(account_id=names.account(), owner_id=names.owner()))
    )
    await_projected(tables, [opened])
    return opened.account_id


@pytest.fixture(autouse=True)
def nothing_is_stored(site: Site, names: Names, account_id: str) -> Iterator[None]:
    yield
    assert assert_sides_agree(site.tables, account_id) == (1, 0, "open")
    assert site.command(names.key("k")) is None
    assert site.tables.log(names.account("never")) == []


@pytest.fixture(scope="session")
def assert_malformed(capabilities: Capabilities) -> AssertMalformed:
    """The API names the field; a gateway that validates may say so first, in its own words."""

    def check(answer: Answer, field: str) -> None:
        assert answer.status == 400, answer
        problem = problem_of(answer)
        if problem is None:
            assert "request-validators" in capabilities, answer
            return
        assert problem["type"] == "urn:tidemark:problem:malformed"
        assert problem.get("field") == field, problem

    return check


@pytest.fixture(scope="module")
def careless_client(testbed: Testbed, deployment: Deployment) -> Iterator[Client]:
    """A client that sends bytes beyond ASCII in headers as they are."""
    with testbed.client_of(deployment, as_it_is) as client:
        yield client


@pytest.mark.parametrize("amount", BAD_AMOUNTS.values(), ids=BAD_AMOUNTS)
@pytest.mark.parametrize("operation", ["deposits", "withdrawals"])
def test_an_amount_that_is_no_amount_is_refused(
    client: Client,
    names: Names,
    account_id: str,
    assert_malformed: AssertMalformed,
    operation: str,
    amount: str,
) -> None:
    answer = ask(
        client,
        "POST",
        f"/accounts/{account_id}/{operation}",
        key=names.key("k"),
        body=f'{{"amount": {amount}}}',
    )

    assert_malformed(answer, "amount")


@pytest.mark.parametrize(
    "body",
    [
        *(pytest.param(body, id=name) for name, body in BAD_BODIES.items()),
        *(
            pytest.param(body, id=name, marks=pytest.mark.needs("any-body"))
            for name, body in ODD_BODIES.items()
        ),
    ],
)
def test_a_body_that_is_no_json_object_is_refused(
    client: Client,
    names: Names,
    account_id: str,
    assert_malformed: AssertMalformed,
    body: str | bytes,
) -> None:
    answer = ask(
        client,
        "POST",
        f"/accounts/{account_id}/deposits",
        key=names.key("k"),
        body=body,
    )

    assert_malformed(answer, "body")


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("deposits", None, "amount"),
        ("deposits", "{}", "amount"),
        ("deposits", '{"amount": 5, "currency": "EUR"}', "currency"),
        ("withdrawals", '{"Amount": 5}', "Amount"),
        ("closure", '{"reason": "moved"}', "reason"),
        ("closure", "[]", "body"),
    ],
)
def test_a_missing_or_unknown_field_is_named(
    client: Client,
    names: Names,
    account_id: str,
    assert_malformed: AssertMalformed,
    path: str,
    body: str | None,
    field: str,
) -> None:
    answer = ask(client, "POST", f"/accounts/{account_id}/{path}", key=names.key("k"), body=body)

    assert_malformed(answer, field)


@pytest.mark.parametrize("value", BAD_IDS.values(), ids=BAD_IDS)
@pytest.mark.parametrize("field", ["account_id", "owner_id"])
def test_an_opening_with_an_id_that_is_no_id_is_refused(
    client: Client,
    names: Names,
    assert_malformed: AssertMalformed,
    field: str,
    value: object,
) -> None:
    body = {"account_id": names.account("never"), "owner_id": names.owner("never"), field: value}

    answer = ask(client, "POST", "/accounts", key=names.key("k"), body=json_of(**body))

    assert_malformed(answer, field)


def test_an_opening_without_an_owner_is_refused(
    client: Client, names: Names, assert_malformed: AssertMalformed
) -> None:
    body = json_of(account_id=names.account("never"))

    answer = ask(client, "POST", "/accounts", key=names.key("k"), body=body)

    assert_malformed(answer, "owner_id")


@pytest.mark.parametrize(
    "segment",
    ["a%2Fb", LONG_ID, "konto-%C3%A9", "a%00b", "a%0A", "a%20b", ".a", "%2E%2E", "%F0%9F%92%B0"],
)
@pytest.mark.parametrize(
    ("method", "template"),
    [
        ("POST", "/accounts/{}/deposits"),
        ("GET", "/accounts/{}"),
        ("GET", "/accounts/{}/statement"),
        ("GET", "/owners/{}/totals"),
    ],
)
def test_an_id_in_the_path_that_is_no_id_is_refused(
    client: Client, names: Names, method: str, template: str, segment: str
) -> None:
    is_command = method == "POST"

    answer = ask(
        client,
        method,
        template.format(segment),
        key=names.key("k") if is_command else None,
        body='{"amount": 5}' if is_command else None,
    )

    assert 400 <= answer.status < 500, answer
    problem = problem_of(answer)
    if problem is not None:
        field = "owner_id" if "owners" in template else "account_id"
        assert (answer.status, problem.get("field")) == (400, field), problem


@pytest.mark.parametrize(
    "key",
    [None, "", "k" * 256, "caf\u00e9", "tab\tbed"],
    ids=["missing", "empty", "256 characters", "beyond ASCII", "a tab"],
)
def test_an_idempotency_key_that_is_no_key_is_refused(
    careless_client: Client, account_id: str, assert_malformed: AssertMalformed, key: str | None
) -> None:
    answer = ask(
        careless_client,
        "POST",
        f"/accounts/{account_id}/deposits",
        key=key,
        body='{"amount": 5}',
    )

    assert_malformed(answer, "Idempotency-Key")


@pytest.mark.parametrize(
    "etag", ["1", '"x"', 'W/"1"', '"-1"', '"1', '"1", "2"', '"' + "1" * 13 + '"']
)
def test_an_if_match_that_is_no_version_is_refused(
    client: Client,
    names: Names,
    account_id: str,
    assert_malformed: AssertMalformed,
    etag: str,
) -> None:
    answer = ask(
        client,
        "POST",
        f"/accounts/{account_id}/deposits",
        key=names.key("k"),
        headers={"If-Match": etag},
        body='{"amount": 5}',
    )

    assert_malformed(answer, "If-Match")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        *((f"statement?limit={limit}", "limit") for limit in ("0", "101", "1000000000", "-1", "x")),
        *((f"statement?limit={limit}", "limit") for limit in ("1.5", "", "1e2", "%D9%A1", "%2B5")),
        *((f"?min_version=1&wait_ms={wait}", "wait_ms") for wait in ("5001", "-1", "1000000000")),
        *((f"?min_version=1&wait_ms={wait}", "wait_ms") for wait in ("soon", "1.5", "1" * 5000)),
        *((f"?min_version={version}", "min_version") for version in ("-1", "x", "1000000000000")),
        *(
            (f"statement?cursor={cursor}", "cursor")
            for cursor in ("", "x", "MQ", "MQ%3D%3D", "%00")
        ),
        *((f"statement?cursor={cursor}", "cursor") for cursor in ("LTE", "MA", "Zm9yZ2Vk")),
        (f"statement?cursor={'A' * 3000}", "cursor"),
    ],
)
def test_a_query_parameter_out_of_bounds_is_refused(
    client: Client,
    account_id: str,
    assert_malformed: AssertMalformed,
    query: str,
    field: str,
) -> None:
    separator = "" if query.startswith("?") else "/"

    answer = ask(client, "GET", f"/accounts/{account_id}{separator}{query}")

    assert_malformed(answer, field)


@pytest.mark.parametrize("cursor", ["", "x", "YS9i", "%00", "A" * 3000])
def test_a_forged_cursor_for_an_owners_accounts_is_refused(
    client: Client, names: Names, assert_malformed: AssertMalformed, cursor: str
) -> None:
    answer = ask(client, "GET", f"/owners/{names.owner()}/accounts?cursor={cursor}")

    assert_malformed(answer, "cursor")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/nothing"),
        ("POST", "/accounts/a/transfers"),
        ("GET", "/accounts"),
        ("DELETE", "/accounts/a"),
        ("PUT", "/accounts/a/deposits"),
    ],
)
def test_an_unknown_route_is_refused_by_the_gateway(client: Client, method: str, path: str) -> None:
    answer = ask(client, method, path)

    assert 400 <= answer.status < 500, answer
    assert problem_of(answer) is None


@pytest.mark.needs("signatures")
@pytest.mark.parametrize(("method", "path"), [("POST", "/accounts"), ("GET", "/accounts/a")])
def test_an_unsigned_request_is_refused_by_the_gateway(
    client: Client, names: Names, method: str, path: str
) -> None:
    unsigned = replace(client, credentials=None)
    body = json_of(owner_id=names.owner()) if method == "POST" else None

    answer = ask(unsigned, method, path, key=names.key("k"), body=body)

    assert answer.status == 403
