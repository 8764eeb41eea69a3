"""What the probe's function does when it is invoked."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from tidemark.probe import function_code

CONTEXT = SimpleNamespace(aws_request_id="request-1")
BATCH = {
    "Records": [{"messageId": "1", "body": "good"}, {"messageId": "2", "body": "bad"}],
}


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(function_code, "_LOGGED_BEFORE_ANSWER_S", 0)


def _invoked(event: Any) -> Any:
    return function_code.handle(event, CONTEXT)


def test_it_logs_what_it_was_invoked_with(capsys: pytest.CaptureFixture[str]) -> None:
    assert _invoked(BATCH) == {}

    seen = json.loads(capsys.readouterr().out)["probe"]
    assert (seen["request_id"], seen["bodies"]) == ("request-1", ["good", "bad"])


def test_it_names_the_bad_message_in_its_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANSWER", '{"batchItemFailures": [{"itemIdentifier": "$id"}]}')

    assert _invoked(BATCH) == {"batchItemFailures": [{"itemIdentifier": "2"}]}


def test_it_logs_a_further_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("EXTRA_LINE", "a metric")

    _invoked({})

    assert capsys.readouterr().out.splitlines()[1] == "a metric"


def test_a_request_through_the_gateway_may_ask_it_to_fail() -> None:
    with pytest.raises(RuntimeError, match="as asked"):
        _invoked({"httpMethod": "GET", "queryStringParameters": {"fail": "1"}})
    assert _invoked({"httpMethod": "GET", "queryStringParameters": None}) == {}


def test_it_fails_when_asked_to_and_has_logged_by_then(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BEHAVIOUR", "fail")

    with pytest.raises(RuntimeError, match="as asked"):
        _invoked("not an object")
    assert '"probe"' in capsys.readouterr().out


@pytest.mark.parametrize(
    ("context", "caller"),
    [
        ({"identity": {"caller": "AROA:ada"}}, "AROA:ada"),
        ({"identity": {}}, "nobody"),
        (None, "nobody"),
    ],
)
def test_it_names_who_signed_a_request(
    monkeypatch: pytest.MonkeyPatch, context: Any, caller: str
) -> None:
    monkeypatch.setenv("ANSWER", '{"statusCode": 200, "body": "$caller"}')

    assert _invoked({"requestContext": context})["body"] == caller
