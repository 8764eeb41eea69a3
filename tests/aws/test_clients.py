"""Clients are made once each, one at a time, and shared by threads."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
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
    makers = 0
    made: list[str] = []
    barrier = threading.Barrier(4)

    def make(service: str, *_: Any) -> object:
        nonlocal makers
        makers += 1
        assert makers == 1, "two are being made at once"
        made.append(service)
        makers -= 1
        return object()

    def ask(service: str) -> object:
        barrier.wait()
        return clients.client(service)

    monkeypatch.setattr(clients, "_make", make)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(ask, ["sqs", "sqs", "sns", "sqs"]))

    assert sorted(made) == ["sns", "sqs"]
    assert found[0] is found[1] is found[3]
