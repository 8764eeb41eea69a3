"""The harness itself waits for nobody's connection: its processes share by files and locks."""

from __future__ import annotations

import pytest

from tests.security.test_one_way_to_aws import calls, imports, sources

_SERVERS = {"asyncio", "http.server", "multiprocessing", "socketserver", "wsgiref", "xmlrpc"}
_LISTENS = {"accept", "create_server", "listen", "serve_forever", "start_server"}


def listens(text: str) -> bool:
    """Whether it may wait for somebody to connect."""
    names = {".".join(one.split(".")[:depth]) for one in imports(text) for depth in (1, 2)}
    return bool(names & _SERVERS or calls(text) & _LISTENS)


def test_no_process_of_the_harness_waits_for_a_stranger() -> None:
    found = {
        place
        for place, text in sources()
        if place.startswith(("tidemark/", "integration/")) and listens(text)
    }

    assert found == set()


@pytest.mark.parametrize(
    "text", ["from multiprocessing.connection import Listener", "socket.socket().listen()"]
)
def test_one_that_did_would_be_seen(text: str) -> None:
    assert listens(text)
