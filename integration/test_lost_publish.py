"""A publish that fails loses nothing: the log is the outbox, and the sweeper empties it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from integration.accounts import accepted
from integration.facts import await_projected
from integration.ledger import assert_sides_agree
from tidemark.faults.sweeping import make_due, sweep
from tidemark.workloads import bank

if TYPE_CHECKING:
    from integration.accounts import Names
    from integration.facts import Fact
    from integration.lines import LogReader
    from integration.site import Site

# The sweeper's threshold, a minute between schedules, and a projection on a busy machine.
SWEPT_WITHIN_S = 150.0


def test_a_command_whose_publish_fails_is_accepted_and_its_event_stays_in_the_outbox(
    site: Site, names: Names, logged: LogReader
) -> None:
    account_id = names.account()
    opening = bank.open_account(account_id=account_id, owner_id=names.owner())
    with site.lost_publishes():
        lost = accepted(site.client.run(opening))

    line = logged.await_line("command-handler", event_id=lost.event_id, outcome="accepted")
    assert line["published"] is False
    event = site.tables.event(account_id, 1)
    assert event is not None
    assert event.key.event_id == lost.event_id
    assert event.mark is not None
    assert event.mark.due_ms > event.recorded_at_ms
    assert event.projected_at_ms is None
    assert site.tables.account(account_id) is None


def test_the_sweeper_publishes_what_is_due_and_leaves_what_is_not(
    direct: Site, direct_names: Names
) -> None:
    # On a stack where no other test waits for the schedule to do this.
    account_id = direct_names.account()
    opening = bank.open_account(account_id=account_id, owner_id=direct_names.owner())
    with direct.lost_publishes():
        lost = accepted(direct.client.run(opening))
    before = direct.tables.event(account_id, 1)

    sweep(direct.aws, direct.deployment)
    assert direct.tables.event(account_id, 1) == before

    make_due(direct.aws, direct.deployment, account_id, 1)
    assert sweep(direct.aws, direct.deployment)["published"] >= 1
    await_projected(direct.tables, [lost])
    assert_sides_agree(direct.tables, account_id)


@pytest.mark.needs("schedules")
@pytest.mark.timeout(200)
def test_a_lost_publish_is_swept_by_the_schedule(
    left_to_the_schedule: list[Fact], site: Site
) -> None:
    await_projected(site.tables, left_to_the_schedule, within_s=SWEPT_WITHIN_S)

    account_id = left_to_the_schedule[0].account_id
    assert assert_sides_agree(site.tables, account_id) == (2, 8, "open")
