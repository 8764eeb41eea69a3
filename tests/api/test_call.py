from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidemark.api.call import Call, Kind

if TYPE_CHECKING:
    from collections.abc import Mapping

API = "http://127.0.0.1:1/prod"
DEPOSIT = Call(
    operation="deposit",
    route="POST /accounts/{id}/deposits",
    path={"id": "a-1"},
    body={"amount": 5},
    aggregate="a-1",
)
READ = Call(operation="account", route="GET /accounts/{id}", path={"id": "a-1"}, aggregate="a-1")


def test_a_command_is_a_post_with_its_key_its_version_and_a_json_body() -> None:
    request = replace(DEPOSIT, key="k 1", expected_version=3).request(API)
    assert DEPOSIT.kind is Kind.COMMAND
    assert request.method == "POST"
    assert request.url == f"{API}/accounts/a-1/deposits"
    assert request.route == "POST /accounts/{id}/deposits"
    assert json.loads(request.body) == {"amount": 5}
    assert dict(request.headers) == {
        "Idempotency-Key": "k 1",
        "Content-Type": "application/json",
        "If-Match": '"3"',
    }


def test_a_command_without_a_body_sends_none() -> None:
    request = replace(DEPOSIT, body=None).request(API)
    assert request.body == b""
    assert "content-type" not in request.headers


def test_a_query_is_a_get_with_its_token_and_without_what_is_not_asked() -> None:
    call = replace(READ, token=4, parameters={"wait_ms": 100, "limit": None})
    request = call.request(API)
    assert call.kind is Kind.QUERY
    assert request.method == "GET"
    assert request.url == f"{API}/accounts/a-1?min_version=4&wait_ms=100"
    assert request.body == b""
    assert call.payload_hash is None


def test_a_call_is_said_once_for_each_api() -> None:
    call = replace(READ, token=4)

    one, other = call.request("http://one"), call.request("http://other")

    assert (one.url, other.url) == (
        "http://one/accounts/a-1?min_version=4",
        "http://other/accounts/a-1?min_version=4",
    )
    assert call.request("http://other") is other
    assert replace(call, token=5).request("http://other").url.endswith("=5")


def test_a_route_that_names_what_the_path_does_not_have_is_an_error() -> None:
    with pytest.raises(KeyError):
        replace(DEPOSIT, path={}).request(API)


def test_a_command_asks_for_the_same_whatever_its_key_and_the_version_it_is_pinned_to() -> None:
    pinned = replace(DEPOSIT, key="k", expected_version=3)
    assert pinned.payload_hash == DEPOSIT.payload_hash


PAYLOADS = st.tuples(
    st.sampled_from(["deposit", "withdraw"]),
    st.sampled_from([None, "a", "b", '"a"']),
    st.dictionaries(st.sampled_from("xyz"), st.integers(0, 2), max_size=2),
)


@given(PAYLOADS, PAYLOADS)
def test_payload_hashes_are_equal_exactly_if_the_payloads_are(
    one: tuple[str, str | None, dict[str, int]], other: tuple[str, str | None, dict[str, int]]
) -> None:
    def hashed(operation: str, aggregate: str | None, body: Mapping[str, int]) -> str | None:
        call = Call(operation=operation, route="POST /x", body=body, aggregate=aggregate)
        return call.payload_hash

    operation, aggregate, body = one
    assert hashed(*one) == hashed(operation, aggregate, dict(reversed(body.items())))
    assert (hashed(*one) == hashed(*other)) == (one == other)
