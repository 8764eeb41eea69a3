"""A projection that is throttled loses nothing, and catches up once it may run again."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from integration.accounts import accepted
from integration.facts import await_projected
from integration.ledger import assert_sides_agree
from tidemark.history.finishing import RECOVERY_S
from tidemark.host.waiting import eventually
from tidemark.workloads import bank

if TYPE_CHECKING:
    from integration.accounts import Names
    from integration.throttled import Throttled
    from tidemark.api.client import Client
    from tidemark.workloads.bank_tables import BankTables

# What was taken from the queue meanwhile comes back after its visibility timeout of a minute.
_CAUGHT_UP_WITHIN_S = 150.0
# So many does the judge want to see before it says that the lag is what it was.
_DEPOSITS = 20


@pytest.mark.timeout(200)
def test_commands_are_accepted_while_the_projection_is_throttled_and_none_is_lost(
    throttled: Throttled, tables: BankTables
) -> None:
    assert throttled.shown is None

    await_projected(tables, throttled.facts, within_s=_CAUGHT_UP_WITHIN_S)

    assert assert_sides_agree(tables, throttled.facts[0].account_id) == (2, 8, "open")


@pytest.mark.timeout(200)
def test_after_a_throttle_events_are_projected_as_before(
    throttled: Throttled, tables: BankTables, client: Client, names: Names
) -> None:
    eventually(
        lambda: time.monotonic() > throttled.ended_s + RECOVERY_S,
        within_s=RECOVERY_S + 10,
        what="the time that a projection has to recover",
    )
    account_id = names.account()
    facts = [
        accepted(client.run(bank.open_account(account_id=account_id, owner_id=names.owner()))),
        *(accepted(client.run(bank.deposit(account_id, 1))) for _ in range(_DEPOSITS)),
    ]

    await_projected(tables, facts)

    assert assert_sides_agree(tables, account_id) == (21, 20, "open")
