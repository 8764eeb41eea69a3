from __future__ import annotations

import itertools
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from botocore.credentials import Credentials

from tidemark.api.call import Call, Kind
from tidemark.api.client import Client, process_clock
from tidemark.api.exchange import Answer, Headers, LostError, NotSentError, Request, TransportError
from tidemark.api.op import Op, Outcome, Purpose
from tidemark.api.session import Writer
from tidemark.host.waiting import eventually

ACCEPTED = Answer(
    202,
    Headers({"location": "/prod/accounts/a-1", "etag": '"4"'}),
    b'{"account_id": "a-1", "version": 4, "event_id": "e-4"}',
)
DEPOSIT = Call(
    operation="deposit",
    route="POST /accounts/{id}/deposits",
    path={"id": "a-1"},
    body={"amount": 5},
    aggregate="a-1",
)
READ = Call(operation="account", route="GET /accounts/{id}", path={"id": "a-1"}, aggregate="a-1")


@dataclass
class Script:
    """A transport that answers from a list and remembers what it was asked."""

    results: list[Answer | BaseException]
    requests: list[Request] = field(default_factory=list)
    ops: list[Op] = field(default_factory=list)

    def __call__(self, request: Request) -> Answer:
        self.requests.append(request)
        result = self.results.pop(0)
        if isinstance(result, BaseException):
            raise result
        return result


def client_of(script: Script, *, credentials: Credentials | None = None) -> Client:
    ticks = itertools.count(1_000, 10)
    return Client(
        api_url="http://127.0.0.1:1/prod",
        region="us-east-1",
        credentials=credentials,
        transport=script,
        session=Writer("run-1", "w1").session("s1"),
        sink=script.ops.append,
        principal="AIDA1",
        clock=lambda: next(ticks),
    )


def run(script: Script, call: Call = DEPOSIT, **arguments: Any) -> Op:
    return client_of(script).run(call, **arguments)


def test_an_accepted_command_says_who_did_what_and_when() -> None:
    op = run(Script([ACCEPTED]), key="k", intended_ns=400)
    assert op.kind is Kind.COMMAND
    assert op.outcome is Outcome.OK
    assert (op.writer, op.session, op.sequence, op.principal) == ("w1", "s1", 1, "AIDA1")
    assert (op.operation, op.key, op.aggregate) == ("deposit", "k", "a-1")
    assert (op.version, op.event_id, op.replayed, op.status) == (4, "e-4", False, 202)
    assert (op.intended_ns, op.start_ns, op.end_ns) == (400, 1_000, 1_010)
    assert (op.problem_type, op.state) == (None, None)


def test_an_unplanned_call_was_intended_when_it_started() -> None:
    op = run(Script([ACCEPTED]))
    assert op.intended_ns == op.start_ns
    assert op.latency_ms == pytest.approx(10 / 1e6)


def test_every_call_is_recorded_as_it_is_returned() -> None:
    script = Script([ACCEPTED, Answer(500), NotSentError("refused"), Answer(200, body=b"{}")])
    client = client_of(script)
    ops = [client.run(call) for call in (DEPOSIT, DEPOSIT, DEPOSIT, READ)]
    assert script.ops == ops
    assert [op.sequence for op in ops] == [1, 2, 3, 4]


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, SystemExit, GeneratorExit, ValueError])
def test_a_call_that_was_interrupted_is_recorded_as_one_that_may_have_been_done(
    interruption: type[BaseException],
) -> None:
    script = Script([interruption()])
    with pytest.raises(interruption):
        run(script)
    (op,) = script.ops
    assert op.outcome is Outcome.INFO
    assert (op.status, op.version, op.event_id) == (None, None, None)
    assert op.detail == f"interrupted by {interruption.__name__}"
    assert op.key == script.requests[0].headers["idempotency-key"]
    assert op.end_ns > op.start_ns


def test_a_call_that_could_not_be_built_is_none() -> None:
    script = Script([])
    with pytest.raises(KeyError):
        run(script, replace(DEPOSIT, path={}))
    assert script.ops == []


def test_each_command_without_a_key_gets_one_of_its_own_that_begins_with_its_session() -> None:
    script = Script([ACCEPTED, Answer(200, body=b"{}"), ACCEPTED])
    client = client_of(script)
    keys = [client.run(call).key for call in (DEPOSIT, READ, DEPOSIT)]
    assert keys == ["run-1.w1.s1.1", None, "run-1.w1.s1.3"]
    assert script.requests[2].headers["idempotency-key"] == keys[2]


def test_a_call_has_the_key_it_was_made_with_unless_it_is_sent_with_another() -> None:
    script = Script([ACCEPTED, ACCEPTED])
    client = client_of(script)
    call = replace(DEPOSIT, key="its own")
    assert client.run(call).key == "its own"
    assert client.run(call, key="another").key == "another"


def test_a_call_is_sent_for_what_its_client_is_for_unless_it_says_otherwise() -> None:
    client = replace(client_of(Script([ACCEPTED, ACCEPTED])), purpose=Purpose.TEST)
    assert client.run(DEPOSIT).purpose is Purpose.TEST
    assert client.run(DEPOSIT, purpose=Purpose.POLL).purpose is Purpose.POLL


def test_a_query_that_is_asked_until_something_is_seen_is_sent_to_poll() -> None:
    script = Script([ACCEPTED, *[Answer(200, body=b"{}")] * 3])
    client = replace(client_of(script), purpose=Purpose.TEST)

    def probe() -> bool:
        if not script.ops:
            client.run(DEPOSIT)
        client.run(READ)
        return len(script.ops) > 2

    eventually(probe, sleep=lambda _: None)
    client.run(READ)

    assert [op.purpose.value for op in script.ops] == ["test", "poll", "poll", "test"]


def behind(retry_after: str | None = "1") -> Answer:
    headers = {} if retry_after is None else {"Retry-After": retry_after}
    return Answer(409, Headers(headers), b'{"type": "urn:tidemark:problem:behind", "version": 1}')


THERE = Answer(200, Headers({"etag": '"2"'}), b"{}")


class Waiting:
    """A client whose calls take 250 ms, and what it slept for in between."""

    def __init__(self, *results: Answer | BaseException) -> None:
        self.script = Script(list(results))
        self.slept: list[float] = []
        self._now_ns = 0
        self._client = replace(client_of(self.script), clock=self._tick)

    def _tick(self) -> int:
        self._now_ns += 250_000_000
        return self._now_ns - 250_000_000

    def poll(self, wait_ms: int | None) -> Op:
        call = replace(READ, token=2, parameters={"wait_ms": wait_ms})
        return self._client.poll(call, sleep=self._sleep)

    def _sleep(self, pause_s: float) -> None:
        self.slept.append(pause_s)
        # From one call's end to the next one's start it does not tick by itself.
        self._now_ns += round(pause_s * 1e9) - 250_000_000


def test_who_waits_asks_again_after_the_time_that_the_api_says() -> None:
    waiting = Waiting(behind("1"), behind("2"), THERE)

    op = waiting.poll(5_000)

    assert (op.outcome, op.version, waiting.slept) == (Outcome.OK, 2, [1, 2])
    assert waiting.script.ops[-1] is op
    assert [one.purpose for one in waiting.script.ops] == [
        Purpose.LOAD,
        Purpose.POLL,
        Purpose.POLL,
    ]
    assert [one.sequence for one in waiting.script.ops] == [1, 2, 3]


def test_the_last_request_ends_the_wait() -> None:
    waiting = Waiting(behind(), behind())

    op = waiting.poll(750)

    assert (op.problem, op.retry_after_s, waiting.slept) == ("behind", 1, [0.5])


@pytest.mark.parametrize("wait_ms", [None, 0, 100, 250])
def test_who_has_waited_long_enough_does_not_ask_again(wait_ms: int | None) -> None:
    waiting = Waiting(behind())
    assert waiting.poll(wait_ms).problem == "behind"
    assert waiting.slept == []


@pytest.mark.parametrize(
    "answer",
    [
        behind(None),
        behind("Wed, 21 Oct 2026 07:28:00 GMT"),
        Answer(409, Headers({"Retry-After": "1"}), b'{"type": "urn:tidemark:problem:busy"}'),
        Answer(503, Headers({"Retry-After": "1"})),
        Answer(404),
    ],
)
def test_only_an_answer_that_is_behind_and_says_when_is_asked_for_again(answer: Answer) -> None:
    waiting = Waiting(answer)
    assert waiting.poll(5_000).status == answer.status
    assert waiting.slept == []


def test_another_session_of_a_client_numbers_its_calls_for_itself() -> None:
    script, other = Script([ACCEPTED, ACCEPTED]), Script([ACCEPTED])
    client = client_of(script)
    client.run(DEPOSIT)
    op = client.for_session("s2", other).run(DEPOSIT)
    assert (op.session, op.sequence, op.key) == ("s2", 1, "run-1.w1.s2.1")
    assert len(other.requests) == 1
    assert client.for_session("s1").run(DEPOSIT).sequence == 2
    assert [recorded.session for recorded in script.ops] == ["s1", "s2", "s1"]


def test_a_session_cannot_be_used_by_two_callers_at_once() -> None:
    script = Script([])

    def call_again(_: Request) -> Answer:
        client.run(READ)
        raise AssertionError

    client = replace(client_of(script), transport=call_again)
    with pytest.raises(RuntimeError, match="for_session"):
        client.run(DEPOSIT)


@pytest.mark.parametrize("name", ["Idempotency-Replayed", "idempotency-replayed"])
def test_a_replayed_answer_is_told_apart(name: str) -> None:
    answer = Answer(202, Headers({**ACCEPTED.headers, name: "true"}), ACCEPTED.body)
    assert run(Script([answer])).replayed


def test_an_unknown_command_sent_again_as_its_op_has_it_is_the_same_request() -> None:
    script = Script([LostError("timed out"), ACCEPTED])
    client = client_of(script)
    lost = client.run(DEPOSIT)
    found = client.run(lost.call)
    assert (lost.outcome, found.outcome) == (Outcome.INFO, Outcome.OK)
    assert script.requests[0] == script.requests[1]


def test_an_aggregate_that_the_caller_did_not_name_comes_from_the_location() -> None:
    answer = Answer(202, Headers({"Location": "../accounts/a%2Fb"}), ACCEPTED.body)
    opening = Call(operation="open_account", route="POST /accounts", body={})
    assert run(Script([answer]), opening).aggregate == "a/b"


def test_a_refused_command_makes_nothing_but_may_name_a_version() -> None:
    body = b'{"type": "urn:tidemark:problem:precondition-failed", "version": 9, "event_id": "x"}'
    op = run(Script([Answer(412, body=body)]), replace(DEPOSIT, aggregate=None))
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
    op = run(Script([error]))
    assert op.outcome is outcome
    assert op.status is None
    assert op.detail == str(error)


def test_a_query_says_what_it_saw() -> None:
    script = Script([Answer(200, Headers({"ETag": '"5"'}), b'{"balance": 3, "version": 5}')])
    op = run(script, replace(READ, token=4))
    assert op.kind is Kind.QUERY
    assert op.outcome is Outcome.OK
    assert (op.version, op.call.token, op.state) == (5, 4, {"balance": 3, "version": 5})
    assert op.key is None


def test_a_query_that_is_behind_says_how_far_the_read_model_is() -> None:
    body = b'{"type": "urn:tidemark:problem:behind", "detail": "d", "version": 3}'
    op = run(Script([Answer(409, body=body)]), replace(READ, token=4))
    assert (op.outcome, op.problem, op.version, op.state) == (Outcome.FAIL, "behind", 3, None)


def test_requests_are_signed_if_there_are_credentials() -> None:
    script = Script([ACCEPTED])
    client_of(script, credentials=Credentials("AKID", "secret")).run(READ)
    assert "Credential=AKID/" in script.requests[0].headers["authorization"]


def test_requests_are_not_signed_without_credentials() -> None:
    script = Script([ACCEPTED])
    run(script, READ)
    assert "authorization" not in script.requests[0].headers


def test_an_op_cannot_be_changed() -> None:
    op = run(Script([ACCEPTED]))
    with pytest.raises(AttributeError):
        op.version = 5  # type: ignore[misc]  # that it cannot be assigned is the test


def test_no_credential_shows_in_the_representation_of_a_client() -> None:
    client = client_of(Script([]), credentials=Credentials("AKID", "secret"))
    assert "AKID" not in repr(client)
    assert "secret" not in repr(client)


def test_a_process_has_one_clock_which_never_steps_back() -> None:
    clock = process_clock()
    assert process_clock() is clock
    ticks = [clock() for _ in range(1000)]
    assert ticks == sorted(ticks)
