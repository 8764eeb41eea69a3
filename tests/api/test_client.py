from __future__ import annotations

import itertools
import json
from dataclasses import FrozenInstanceError, dataclass, field
from typing import Any

import pytest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from tidemark.api.client import Client, utc_clock
from tidemark.api.exchange import Answer, Headers, LostError, NotSentError, Request, TransportError
from tidemark.api.op import Kind, Op, Outcome

ACCEPTED = Answer(
    202,
    Headers({"location": "/prod/accounts/a-1", "etag": '"4"'}),
    b'{"account_id": "a-1", "version": 4, "event_id": "e-4"}',
)


@dataclass
class Script:
    """A transport that answers from a list and remembers what it was asked."""

    results: list[Answer | TransportError]
    requests: list[Request] = field(default_factory=list)

    def __call__(self, request: Request) -> Answer:
        self.requests.append(request)
        result = self.results.pop(0)
        if isinstance(result, TransportError):
            raise result
        return result


def client_of(script: Script, *, credentials: Credentials | None = None) -> Client:
    ticks = itertools.count(1_000, 10)
    return Client(
        api_url="http://127.0.0.1:1/prod",
        region="us-east-1",
        credentials=credentials,
        transport=script,
        session="s-1",
        clock=lambda: next(ticks),
    )


def command(script: Script, **arguments: Any) -> Op:
    sent: dict[str, Any] = {"path": {"id": "a-1"}, "body": {"amount": 5}, "aggregate": "a-1"}
    return client_of(script).command("deposit", "/accounts/{id}/deposits", **(sent | arguments))


def test_a_command_is_a_post_with_its_key_its_version_and_a_json_body() -> None:
    script = Script([ACCEPTED])
    command(script, idempotency_key="k 1", expected_version=3)
    (request,) = script.requests
    assert request.method == "POST"
    assert request.url == "http://127.0.0.1:1/prod/accounts/a-1/deposits"
    assert request.route == "POST /accounts/{id}/deposits"
    assert json.loads(request.body) == {"amount": 5}
    assert dict(request.headers) == {
        "Idempotency-Key": "k 1",
        "Content-Type": "application/json",
        "If-Match": '"3"',
    }


def test_a_command_without_a_body_sends_none() -> None:
    script = Script([ACCEPTED])
    command(script, body=None)
    assert script.requests[0].body == b""
    assert "content-type" not in script.requests[0].headers


def test_an_accepted_command_says_what_was_made_and_when() -> None:
    op = command(Script([ACCEPTED]), idempotency_key="k", intended_ns=400)
    assert op.kind is Kind.COMMAND
    assert op.outcome is Outcome.OK
    assert (op.session, op.operation, op.key, op.aggregate) == ("s-1", "deposit", "k", "a-1")
    assert (op.version, op.event_id, op.replayed, op.status) == (4, "e-4", False, 202)
    assert (op.intended_ns, op.start_ns, op.end_ns) == (400, 1_000, 1_010)
    assert op.problem_type is None


def test_an_unplanned_call_was_intended_when_it_started() -> None:
    op = command(Script([ACCEPTED]))
    assert op.intended_ns == op.start_ns
    assert op.latency_ms == pytest.approx(10 / 1e6)


@pytest.mark.parametrize("name", ["Idempotency-Replayed", "idempotency-replayed"])
def test_a_replayed_answer_is_told_apart(name: str) -> None:
    answer = Answer(202, Headers({**ACCEPTED.headers, name: "true"}), ACCEPTED.body)
    assert command(Script([answer])).replayed


def test_each_command_without_a_key_gets_one_of_its_own() -> None:
    script = Script([ACCEPTED, ACCEPTED])
    keys = {command(script).key, command(script).key}
    assert len(keys) == 2
    assert keys == {request.headers["idempotency-key"] for request in script.requests}


def test_an_unknown_command_sent_again_with_its_key_is_the_same_request() -> None:
    script = Script([LostError("timed out"), ACCEPTED])
    lost = command(script)
    found = command(script, idempotency_key=lost.key)
    assert (lost.outcome, found.outcome) == (Outcome.INFO, Outcome.OK)
    assert lost.payload_hash == found.payload_hash
    assert script.requests[0] == script.requests[1]


def test_an_aggregate_that_the_caller_did_not_name_comes_from_the_location() -> None:
    answer = Answer(202, Headers({"Location": "../accounts/a%2Fb"}), ACCEPTED.body)
    op = client_of(Script([answer])).command("open_account", "/accounts", body={})
    assert op.aggregate == "a/b"


def test_a_refused_command_makes_nothing_but_may_name_a_version() -> None:
    body = b'{"type": "urn:tidemark:problem:precondition-failed", "version": 9, "event_id": "x"}'
    op = command(Script([Answer(412, body=body)]), aggregate=None)
    assert op.outcome is Outcome.FAIL
    assert op.problem == "precondition-failed"
    assert op.version == 9
    assert op.event_id is None
    assert op.aggregate is None


@pytest.mark.parametrize(
    ("error", "outcome"),
    [(NotSentError("refused"), Outcome.FAIL), (LostError("cut off"), Outcome.INFO)],
)
def test_a_command_without_an_answer_has_no_status(error: TransportError, outcome: Outcome) -> None:
    op = command(Script([error]))
    assert op.outcome is outcome
    assert op.status is None
    assert op.detail == str(error)


PAYLOADS = st.tuples(
    st.sampled_from(["deposit", "withdraw"]),
    st.sampled_from([None, "a", "b", '"a"']),
    st.dictionaries(st.sampled_from("xyz"), st.integers(0, 2), max_size=2),
)


@given(PAYLOADS, PAYLOADS)
def test_payload_hashes_are_equal_exactly_if_the_payloads_are(
    one: tuple[str, str | None, dict[str, int]], other: tuple[str, str | None, dict[str, int]]
) -> None:
    hashes = []
    for operation, aggregate, body in (one, other):
        reordered = dict(reversed(body.items()))
        for spelled in (body, reordered):
            op = client_of(Script([ACCEPTED])).command(
                operation, "/x", body=spelled, aggregate=aggregate
            )
            hashes.append(op.payload_hash)
    assert hashes[0] == hashes[1]
    assert (hashes[0] == hashes[2]) == (one == other)


def test_a_query_is_a_get_with_its_token() -> None:
    script = Script([Answer(200, Headers({"ETag": '"5"'}), b'{"balance": 3, "version": 5}')])
    op = client_of(script).query(
        "account",
        "/accounts/{id}",
        path={"id": "a-1"},
        parameters={"wait_ms": 100, "limit": None},
        aggregate="a-1",
        token=4,
    )
    (request,) = script.requests
    assert request.method == "GET"
    assert request.url == "http://127.0.0.1:1/prod/accounts/a-1?min_version=4&wait_ms=100"
    assert request.body == b""
    assert op.kind is Kind.QUERY
    assert op.outcome is Outcome.OK
    assert (op.version, op.token, op.state) == (5, 4, {"balance": 3, "version": 5})
    assert op.key is None


def test_a_query_that_is_behind_says_how_far_the_read_model_is() -> None:
    body = b'{"type": "urn:tidemark:problem:behind", "detail": "d", "version": 3}'
    op = client_of(Script([Answer(409, body=body)])).query("account", "/a", token=4)
    assert (op.outcome, op.problem, op.version, op.state) == (Outcome.FAIL, "behind", 3, None)


def test_requests_are_signed_if_there_are_credentials() -> None:
    script = Script([ACCEPTED])
    client_of(script, credentials=Credentials("AKID", "secret")).query("account", "/a")
    assert "Credential=AKID/" in script.requests[0].headers["authorization"]


def test_requests_are_not_signed_without_credentials() -> None:
    script = Script([ACCEPTED])
    client_of(script).query("account", "/a")
    assert "authorization" not in script.requests[0].headers


def test_an_op_cannot_be_changed() -> None:
    op = command(Script([ACCEPTED]))
    with pytest.raises(FrozenInstanceError):
        op.version = 5  # type: ignore[misc]  # that it cannot be assigned is the test


def test_no_credential_shows_in_the_representation_of_a_client() -> None:
    client = client_of(Script([]), credentials=Credentials("AKID", "secret"))
    assert "AKID" not in repr(client)
    assert "secret" not in repr(client)


def test_the_clock_never_steps_back() -> None:
    clock = utc_clock()
    ticks = [clock() for _ in range(1000)]
    assert ticks == sorted(ticks)
