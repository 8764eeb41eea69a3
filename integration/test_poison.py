"""A message that can never be projected ends in the dead-letter queue, and holds nobody up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from integration.facts import await_projected
from integration.ledger import assert_sides_agree, assert_totals_agree
from tidemark.faults.poison import KINDS

if TYPE_CHECKING:
    from integration.lines import LogReader
    from integration.poison import Injected
    from tidemark.workloads.bank_tables import BankTables


def test_events_that_come_after_poison_are_projected(
    poisoned: Injected, tables: BankTables
) -> None:
    await_projected(tables, [poisoned.later])

    assert assert_sides_agree(tables, poisoned.later.account_id) == (3, 111, "open")


@pytest.mark.parametrize("kind", KINDS)
def test_poison_reaches_the_dead_letter_queue_once(poisoned: Injected, kind: str) -> None:
    body = poisoned.bodies[kind]
    poisoned.letters.await_bodies([body])

    assert poisoned.letters.take([body]) == [body]


def test_poison_leaves_no_trace_on_either_side(poisoned: Injected, tables: BankTables) -> None:
    poisoned.letters.await_bodies(list(poisoned.bodies.values()))
    await_projected(tables, [poisoned.later])

    account_id, nobody = poisoned.later.account_id, poisoned.names.account("nobody")
    assert assert_sides_agree(tables, account_id) == (3, 111, "open")
    assert_totals_agree(tables, poisoned.names.owner(), [account_id])
    assert not tables.log(nobody)
    assert not tables.lines(nobody)
    assert tables.account(nobody) is None


def test_the_reason_why_a_message_is_poison_is_logged(
    poisoned: Injected, session_log: LogReader
) -> None:
    line = session_log.await_line(
        "update-processor", message_id=poisoned.message_ids["no JSON"], outcome="failed"
    )

    assert "not JSON" in line["reason"]
    assert line["left_to"] == "dead-letter queue"
