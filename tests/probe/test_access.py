"""The rows about access: what counts as refused, and how long a delivery is looked for."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NoReturn

import pytest
from botocore.exceptions import ClientError

from tests.probe.asking import bench
from tidemark.aws.connection import Connection
from tidemark.host.waiting import NotSeenError
from tidemark.probe.bench import Bench
from tidemark.probe.functions import Function
from tidemark.probe.observation import Comparison, NotProbedError
from tidemark.probe.rows import access

if TYPE_CHECKING:
    from collections.abc import Callable


def _raising(code: str) -> Callable[..., NoReturn]:
    def call(**_: Any) -> NoReturn:
        raise ClientError({"Error": {"Code": code, "Message": "no"}}, "ListTables")

    return call


def _asked_with_unknown_key(monkeypatch: pytest.MonkeyPatch, code: str) -> Any:
    theirs = SimpleNamespace(dynamodb=SimpleNamespace(list_tables=_raising(code)))
    monkeypatch.setattr(access, "AwsClients", lambda _: theirs)
    clients = SimpleNamespace(connection=Connection(region="us-east-1"))
    return access.iam_unknown_access_key.probe(bench(clients=clients))


@pytest.mark.parametrize("code", ["UnrecognizedClientException", "InvalidClientTokenId"])
def test_an_unknown_key_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    seen = _asked_with_unknown_key(monkeypatch, code)

    assert (seen.comparison, seen.observed) == (Comparison.SAME, f"refused: {code}")


@pytest.mark.parametrize("code", ["InternalError", "ThrottlingException", "AccessDeniedException"])
def test_any_other_error_is_no_refusal(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    with pytest.raises(ClientError, match=code):
        _asked_with_unknown_key(monkeypatch, code)


def _published(
    monkeypatch: pytest.MonkeyPatch, *, within_s: float, subscribe: Callable[..., Any] = dict
) -> Any:
    """Publish to a function that has no permission and is never invoked."""
    sns = SimpleNamespace(subscribe=subscribe, publish=lambda **_: {})
    monkeypatch.setattr(Bench, "function", lambda _: Function("f", "arn:f"))
    monkeypatch.setattr(Bench, "topic", lambda _: "arn:t")
    monkeypatch.setattr(Bench, "invocations", lambda *_: [])
    its_bench = bench(within_s=within_s, clients=SimpleNamespace(sns=sns))
    return access.function_without_permission.probe(its_bench)


def test_a_subscription_is_refused_for_want_of_permission_and_fails_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen = _published(monkeypatch, within_s=60, subscribe=_raising("AuthorizationError"))

    assert (seen.comparison, seen.observed) == (Comparison.SAME, "refused: AuthorizationError")
    with pytest.raises(ClientError, match="InternalError"):
        _published(monkeypatch, within_s=60, subscribe=_raising("InternalError"))


def test_a_delivery_is_looked_for_as_long_as_the_row_may_take(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waited: list[float] = []

    def gives_up(probe: Callable[[], object], *, within_s: float, what: str, **_: Any) -> NoReturn:
        waited.append(within_s)
        raise NotSeenError(f"{what}: {probe()}")

    monkeypatch.setattr("tidemark.probe.patience.eventually", gives_up)

    for within_s in (access.function_without_permission.within_s, 600):
        seen = _published(monkeypatch, within_s=within_s)
        assert (seen.comparison, seen.observed) == (Comparison.SAME, "not delivered")
        assert seen.measured == f"within {within_s:.0f} s"

    assert [round(one) for one in waited] == [15, 600]


def test_without_time_to_look_for_a_delivery_nothing_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(NotProbedError, match="no time is left"):
        _published(monkeypatch, within_s=1)
