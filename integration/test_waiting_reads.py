"""Reads that wait for a version leave room for commands, however many they are."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import TYPE_CHECKING

import pytest

from integration.accounts import accepted, beside
from tidemark.workloads import bank

if TYPE_CHECKING:
    from integration.accounts import Names
    from integration.site import Site
    from tidemark.api.client import Client

READERS = 40
COMMANDS = 20
LONGEST_WAIT_MS = 5_000


@pytest.fixture
def has_room(site: Site) -> None:
    """A target that runs as many functions as there are readers, or lets them take turns."""
    if site.deployment.target == "localstack":
        pytest.skip("each reader who waits would be a container")


@pytest.mark.usefixtures("has_room")
def test_forty_readers_who_wait_keep_no_command_out(client: Client, names: Names) -> None:
    account_id = names.account()
    accepted(client.run(bank.open_account(account_id=account_id, owner_id=names.owner())))
    never = bank.account(account_id, min_version=1_000, wait_ms=LONGEST_WAIT_MS)
    done = Event()

    def wait(number: int) -> set[str | None]:
        reader, seen = beside(client, number), set()
        while not done.is_set():
            seen.add(reader.poll(never, sleep=done.wait).problem)
        return seen

    with ThreadPoolExecutor(READERS) as readers:
        waiting = [readers.submit(wait, number) for number in range(READERS)]
        try:
            ops = [client.run(bank.deposit(account_id, 1)) for _ in range(COMMANDS)]
        finally:
            done.set()

    assert [op.status for op in ops] == [202] * COMMANDS
    assert "behind" in set().union(*(one.result() for one in waiting))
