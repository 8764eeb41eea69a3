from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidemark.api.exchange import Answer, Headers, LostError, NotSentError, TransportError
from tidemark.api.op import Outcome, judge, problem_name, version_of

JSON_OBJECTS = st.dictionaries(st.text(), st.integers() | st.text() | st.none()).map(
    lambda members: json.dumps(members).encode()
)
NOT_OBJECTS = st.sampled_from([b"", b"[]", b"3", b'"text"', b"<html>", b'{"a":', b"\xff\xfe"])
BODIES = JSON_OBJECTS | NOT_OBJECTS


def problem(slug: str, status: int) -> Answer:
    body = {"type": f"urn:tidemark:problem:{slug}", "title": "t", "status": status, "detail": "d"}
    return Answer(
        status, Headers({"Content-Type": "application/problem+json"}), json.dumps(body).encode()
    )


@given(st.integers(400, 499).filter(lambda status: status != 408), BODIES)
def test_a_4xx_is_certainly_not_done(status: int, body: bytes) -> None:
    assert judge(Answer(status, body=body)).outcome is Outcome.FAIL


@given(BODIES)
def test_a_408_is_whoever_gave_up_waiting_for_what_may_have_been_done(body: bytes) -> None:
    assert judge(Answer(408, body=body)).outcome is Outcome.INFO


@given(st.integers(500, 599), BODIES)
def test_a_5xx_may_have_been_done(status: int, body: bytes) -> None:
    assert judge(Answer(status, body=body)).outcome is Outcome.INFO


@given(st.integers(200, 299), JSON_OBJECTS)
def test_a_2xx_that_is_the_apis_is_done(status: int, body: bytes) -> None:
    judged = judge(Answer(status, body=body))
    assert judged.outcome is Outcome.OK
    assert judged.problem_type is None


@given(st.integers(200, 299), NOT_OBJECTS)
def test_a_2xx_that_nobody_can_read_proves_nothing(status: int, body: bytes) -> None:
    judged = judge(Answer(status, body=body))
    assert judged.outcome is Outcome.INFO
    assert problem_name(judged.problem_type) == "unreadable"


@given(st.integers(300, 399), BODIES)
def test_a_redirect_proves_nothing(status: int, body: bytes) -> None:
    assert judge(Answer(status, body=body)).outcome is Outcome.INFO


@pytest.mark.parametrize(
    ("error", "outcome", "name"),
    [
        (NotSentError("refused"), Outcome.FAIL, "not-sent"),
        (LostError("timed out"), Outcome.INFO, "lost"),
        (TransportError("anything else"), Outcome.INFO, "transport"),
    ],
)
def test_only_what_never_left_is_certain_without_an_answer(
    error: TransportError, outcome: Outcome, name: str
) -> None:
    judged = judge(error)
    assert judged.outcome is outcome
    assert problem_name(judged.problem_type) == name
    assert judged.detail == str(error)


@pytest.mark.parametrize(
    ("answer", "outcome", "name"),
    [
        (problem("busy", 409), Outcome.FAIL, "busy"),
        (problem("behind", 409), Outcome.FAIL, "behind"),
        (problem("insufficient-funds", 422), Outcome.FAIL, "insufficient-funds"),
        (problem("throttled", 429), Outcome.FAIL, "throttled"),
        (problem("unavailable", 503), Outcome.INFO, "unavailable"),
        (Answer(403, body=b'{"message":"Forbidden"}'), Outcome.FAIL, "http-403"),
        (Answer(500, body=b'{"message":"Internal server error"}'), Outcome.INFO, "http-500"),
        (Answer(502, body=b"<html>"), Outcome.INFO, "http-502"),
        (Answer(400, body=b'{"type":"about:blank"}'), Outcome.FAIL, "http-400"),
    ],
)
def test_both_error_shapes_are_read(answer: Answer, outcome: Outcome, name: str) -> None:
    judged = judge(answer)
    assert judged.outcome is outcome
    assert problem_name(judged.problem_type) == name
    assert judged.detail is not None


def test_the_gateways_own_message_is_the_detail() -> None:
    assert judge(Answer(403, body=b'{"message":"Forbidden"}')).detail == "Forbidden"
    assert judge(Answer(403, body=b'{"Message":"No"}')).detail == "No"
    assert judge(Answer(502, body=b"<html>")).detail == "<html>"


@given(
    st.text(st.characters(codec="ascii", categories=["L", "Pd"]), min_size=1),
    st.sampled_from([str.upper, str.lower, str.title, str.swapcase]),
)
def test_headers_are_found_whatever_their_case(name: str, cased: object) -> None:
    assert callable(cased)
    assert Headers({cased(name): "v"})[name] == "v"
    assert name in Headers({cased(name): "v"})


@pytest.mark.parametrize(
    ("headers", "body", "version"),
    [
        ({"ETag": '"7"'}, b"{}", 7),
        ({"etag": 'W/"7"'}, b"{}", 7),
        ({"ETag": '"7"'}, b'{"version": 3}', 7),
        ({}, b'{"version": 3}', 3),
        ({"ETag": '"x"'}, b'{"version": 3}', 3),
        ({}, b'{"version": "3"}', None),
        ({}, b'{"version": true}', None),
        ({}, b"<html>", None),
    ],
)
def test_a_version_is_that_of_the_etag_or_else_of_the_body(
    headers: dict[str, str], body: bytes, version: int | None
) -> None:
    assert version_of(Answer(200, Headers(headers), body)) == version
