"""Silence is not taken for death: only what has ended, or refuses, is gone."""

from __future__ import annotations

import itertools
import json
import os
import signal
from typing import TYPE_CHECKING

import pytest

from tests.api.servers import bare_socket, dead_url, served
from tidemark.api.exchange import Answer, Headers
from tidemark.deploy import teardown
from tidemark.errors import TidemarkError
from tidemark.host.deployment import Deployment
from tidemark.targets import emulators
from tidemark.targets.base import SilentTargetError, Target, TargetOptions
from tidemark.targets.choice import choose
from tidemark.targets.embedded import EmbeddedTarget
from tidemark.targets.endpoint import EndpointTarget

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator
    from pathlib import Path

    from tidemark.api.exchange import Request

CALLER = (
    b"<GetCallerIdentityResponse><GetCallerIdentityResult><Account>000000000000</Account>"
    b"</GetCallerIdentityResult></GetCallerIdentityResponse>"
)


def answering(*answers: Answer) -> Iterator[Answer]:
    """These answers, and the last one from then on."""
    return itertools.chain(answers, itertools.repeat(answers[-1]))


def hang_up(connection: socket.socket) -> None:
    """Take a request and say nothing."""
    connection.recv(1)


def endpoint_target(url: str, state: Path) -> EndpointTarget:
    return EndpointTarget(TargetOptions(state=state, endpoint_url=url))


@pytest.mark.parametrize("status", [500, 503])
def test_an_endpoint_that_is_busy_is_asked_again(tmp_path: Path, status: int) -> None:
    given = answering(Answer(status, Headers({}), b""), Answer(200, Headers({}), CALLER))

    with served(lambda _: next(given)) as url:
        assert endpoint_target(url, tmp_path).find() is not None


def test_an_endpoint_that_answers_as_no_aws_is_none_at_once(tmp_path: Path) -> None:
    asked: list[Request] = []

    def answer(request: Request) -> Answer:
        asked.append(request)
        return Answer(404, Headers({}), b"<html>")

    with served(answer) as url:
        assert endpoint_target(url, tmp_path).find() is None

    assert len(asked) == 1


def test_an_endpoint_that_refuses_is_none_at_once(tmp_path: Path) -> None:
    assert endpoint_target(dead_url(), tmp_path).find() is None


def test_a_stack_is_forgotten_only_where_nobody_listens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Target, "patience_s", 0.0)
    monkeypatch.setenv("TIDEMARK_STATE_DIR", str(tmp_path))

    with bare_socket(hang_up) as (url, _):
        stack = recorded(tmp_path, url)
        with pytest.raises(TidemarkError, match=f"What runs at {url} is not known") as raised:
            teardown.destroy(tmp_path, stack)
    record = tmp_path / "deployments" / "endpoint.Tidemark.json"
    assert str(raised.value).endswith(f"If it is gone for good, delete {record}.")
    assert record.exists()

    assert "is forgotten" in teardown.destroy(tmp_path, recorded(tmp_path, dead_url()))
    assert not record.exists()


def recorded(state: Path, endpoint: str) -> Deployment:
    stack = Deployment(
        target="endpoint",
        endpoint=endpoint,
        region="us-east-1",
        stack_name="Tidemark",
        api_url="",
        template_digest="",
        outputs={},
    )
    stack.save(state)
    return stack


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[EmbeddedTarget]:
    """ministack, stopped in its tracks: it runs, and says nothing."""
    target = EmbeddedTarget(TargetOptions(state=tmp_path))
    target.start()
    pid = json.loads((tmp_path / "embedded" / "process.json").read_text())["pid"]
    os.kill(pid, signal.SIGSTOP)
    try:
        yield target
    finally:
        os.kill(pid, signal.SIGCONT)
        target.stop()


def test_an_emulator_that_stands_still_is_neither_replaced_nor_passed_over(
    embedded: EmbeddedTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Target, "patience_s", 0.0)
    monkeypatch.setattr(emulators, "_ANSWERS_WITHIN_S", 0.1)

    for ask in (
        embedded.find,
        embedded.start,
        lambda: choose("auto", embedded.options, {"CI": "true"}),
    ):
        with pytest.raises(SilentTargetError, match="The embedded target runs and has not answer"):
            ask()

    assert embedded.how_ended() is None
