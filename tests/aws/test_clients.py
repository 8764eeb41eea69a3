"""Clients are made once each, one at a time, and shared by threads."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
from botocore.config import Config

from tidemark.aws.clients import AwsClients
from tidemark.aws.connection import EMULATOR_CREDENTIALS, Connection


@pytest.fixture
def clients() -> AwsClients:
    return AwsClients(Connection("us-east-1", "http://127.0.0.1:9", EMULATOR_CREDENTIALS))


def test_a_client_is_made_once_and_one_with_limits_anew(clients: AwsClients) -> None:
    assert clients.sqs is clients.client("sqs")

    limited = clients.client("sqs", Config(read_timeout=1))

    assert limited is not clients.sqs
    assert (limited.meta.config.read_timeout, clients.sqs.meta.config.read_timeout) == (1, 60)


def test_threads_that_ask_at_once_get_one_client_which_is_made_alone(
    clients: AwsClients, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []
    met: list[str] = []
    start, meeting = threading.Barrier(4), threading.Barrier(2)

    def make(service: str, *_: Any) -> object:
        made.append(service)
        with suppress(threading.BrokenBarrierError):  # nobody else comes
            meeting.wait(0.05)
            met.append(service)
        return object()

    def ask(service: str) -> object:
        start.wait()
        return clients.client(service)

    monkeypatch.setattr(clients, "_make", make)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(ask, ["sqs", "sqs", "sns", "sqs"]))

    assert (sorted(made), met) == (["sns", "sqs"], [])
    assert found[0] is found[1] is found[3]
