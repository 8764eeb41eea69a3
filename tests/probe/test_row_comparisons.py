"""What single rows make of an answer: as AWS documents it, or not."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.probe.asking import bench
from tidemark.api.exchange import Answer, Headers
from tidemark.probe import rest_api
from tidemark.probe.bench import Bench
from tidemark.probe.functions import Function
from tidemark.probe.observation import Comparison
from tidemark.probe.rows import dynamodb_transactions, gateway, logs, queues

if TYPE_CHECKING:
    from collections.abc import Mapping


@pytest.mark.parametrize(
    ("code", "reasons", "comparison", "observed"),
    [
        ("ValidationException", [], Comparison.SAME, "ValidationException"),
        (
            "TransactionCanceledException",
            ["None", "ValidationError"],
            Comparison.SAME,
            "TransactionCanceledException, ValidationError",
        ),
        (
            "TransactionCanceledException",
            ["ConditionalCheckFailed"],
            Comparison.DIFFERS,
            "TransactionCanceledException, ConditionalCheckFailed",
        ),
        ("InternalServerError", [], Comparison.DIFFERS, "InternalServerError"),
    ],
)
def test_either_documented_validation_error_will_do(
    monkeypatch: pytest.MonkeyPatch,
    code: str,
    reasons: list[str],
    comparison: Comparison,
    observed: str,
) -> None:
    response: Any = {
        "Error": {"Code": code, "Message": "no"},
        "CancellationReasons": [{"Code": one} for one in reasons],
    }

    def transact(**_: Any) -> None:
        raise ClientError(response, "TransactWriteItems")

    monkeypatch.setattr(Bench, "table", lambda _: "t")
    clients = SimpleNamespace(dynamodb=SimpleNamespace(transact_write_items=transact))

    seen = dynamodb_transactions.one_item_twice.probe(bench(clients=clients))

    assert (seen.comparison, seen.observed) == (comparison, observed)


@pytest.mark.parametrize(
    ("message_id", "receives", "comparison", "observed"),
    [
        ("new", "1", Comparison.SAME, "another id, receives counted from one"),
        ("new", "3", Comparison.SAME, "another id, receives go on being counted"),
        ("old", "1", Comparison.DIFFERS, "the same id, receives counted from one"),
    ],
)
def test_a_redriven_message_is_new_by_its_id(
    monkeypatch: pytest.MonkeyPatch,
    message_id: str,
    receives: str,
    comparison: Comparison,
    observed: str,
) -> None:
    message: Mapping[str, Any] = {
        "MessageId": message_id,
        "Attributes": {"ApproximateReceiveCount": receives},
        "original": "old",
    }
    monkeypatch.setattr(queues, "_redrive", lambda _: message)

    seen = queues.redriven_message_is_new.probe(bench())

    assert (seen.comparison, seen.observed) == (comparison, observed)


def test_an_api_is_asked_for_a_failure_only_once_it_answers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []
    statuses = iter([403, 403, 200, 502])

    def send(_: str, path: str) -> Answer:
        asked.append(path)
        return Answer(next(statuses), Headers({}), b'{"message": "Internal server error"}')

    monkeypatch.setattr(Bench, "function", lambda *_, **__: Function("f", "arn:f"))
    monkeypatch.setattr(rest_api, "deploy", lambda *_: SimpleNamespace(send=send))

    seen = gateway.failing_function.probe(bench())

    assert (seen.comparison, seen.observed) == (Comparison.SAME, "502, Internal server error")
    assert asked == ["/open", "/open", "/open", "/open?fail=1"]


def test_a_line_that_is_readable_late_is_as_documented(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([100.0, 400.0])
    monkeypatch.setattr(logs, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    monkeypatch.setattr(Bench, "function", lambda _: Function("f", "arn:f"))
    monkeypatch.setattr(Bench, "invocations", lambda *_: ["one"])
    clients = SimpleNamespace(functions=SimpleNamespace(invoke=lambda **_: {}))

    seen = logs.log_delay.probe(bench(clients=clients))

    assert (seen.comparison, seen.observed, seen.measured) == (
        Comparison.SAME,
        "readable",
        "after 300.0 s",
    )
