"""However events travel, the read model becomes the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from integration.accounts import Names, accepted, outside
from integration.facts import await_projected
from integration.ledger import assert_sides_agree, assert_totals_agree
from tidemark.faults.dead_letters import DeadLetters
from tidemark.faults.messages import duplicated, message, unknown_id
from tidemark.faults.plan import DUPLICATE, POISON
from tidemark.workloads import bank

if TYPE_CHECKING:
    from integration.facts import Fact
    from integration.site import Site
    from tidemark.api.client import Client
    from tidemark.workloads.bank_items import Row

SEED = 20261123


@pytest.mark.usefixtures("queue")
def test_both_wirings_converge_to_the_same_read_model(
    site: Site, direct: Site, client: Client, names: Names
) -> None:
    assert {site.deployment.wiring, direct.deployment.wiring} == {"queued", "direct"}
    account_ids = [names.account(f"a{number}") for number in range(3)]
    owner_id = names.owner()
    # The same names on both stacks, which of the two runs there only one can call its own.
    for one, sending in ((site, client), (direct, outside(direct.client, "wirings"))):
        facts = commanded(sending, owner_id, account_ids)
        await_projected(one.tables, facts)
        for account_id in account_ids:
            assert_sides_agree(one.tables, account_id)
        assert_totals_agree(one.tables, owner_id, account_ids)

    assert [
        (timeless(queued), timeless(topical))
        for account_id in account_ids
        for queued, topical in zip(
            read_model(site, account_id), read_model(direct, account_id), strict=True
        )
        if timeless(queued) != timeless(topical)
    ] == []
    assert site.tables.totals(owner_id) == direct.tables.totals(owner_id)


def test_what_the_topic_duplicates_and_reorders_is_right_in_the_end(
    direct: Site, direct_names: Names
) -> None:
    names = direct_names
    account_ids = [names.account(f"a{number}") for number in range(2)]
    with direct.lost_publishes():
        facts = commanded(direct.client, names.owner(), account_ids)
    bodies = [message(one, event) for one in account_ids for event in direct.tables.log(one)]

    copies = duplicated(bodies, times=2, seed=SEED)
    with direct.history.fault(DUPLICATE, times=len(copies)) as fault:
        for body in copies:
            fault.strike(message_id=published(direct, body))

        await_projected(direct.tables, facts)
    for account_id in account_ids:
        assert_sides_agree(direct.tables, account_id)
    assert_totals_agree(direct.tables, names.owner(), account_ids)


@pytest.mark.needs("async-retries")
def test_poison_from_the_topic_reaches_the_dead_letter_queue_of_the_function(
    direct: Site,
) -> None:
    client = outside(direct.client, "poison")
    names = Names.of(client)
    account_id = names.account()
    opened = accepted(client.run(bank.open_account(account_id=account_id, owner_id=names.owner())))
    event = direct.tables.event(account_id, 1)
    assert event is not None
    poison = message(account_id, event, version=7, event_id=unknown_id())

    queue_name = direct.deployment.outputs["DeadLetterQueueName"]
    with direct.history.fault(POISON) as fault:
        fault.strike(message_id=published(direct, poison), aggregate=account_id)

        DeadLetters.of(direct.aws, queue_name, direct.history.writer).await_bodies([poison])
    await_projected(direct.tables, [opened])
    assert_sides_agree(direct.tables, account_id)


def published(site: Site, body: str) -> str:
    """The id of a message that is published to the topic once more."""
    answer = site.aws.sns.publish(TopicArn=site.deployment.outputs["TopicArn"], Message=body)
    return answer["MessageId"]


def commanded(client: Client, owner_id: str, account_ids: list[str]) -> list[Fact]:
    """The same commands, whatever the site."""
    calls = [bank.open_account(account_id=one, owner_id=owner_id) for one in account_ids]
    for amount in (300, 20, 1):
        calls += [bank.deposit(one, amount) for one in account_ids]
    calls += [bank.withdraw(account_ids[0], 321), bank.close(account_ids[0])]
    return [accepted(client.run(call)) for call in calls]


def read_model(site: Site, account_id: str) -> list[Row]:
    account = site.tables.account(account_id)
    assert account is not None
    return [account, *site.tables.lines(account_id)]


def timeless(row: Row) -> Row:
    return {name: value for name, value in row.items() if not name.endswith("_at")}
