"""Every call that the functions can make, made on purpose and in seconds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from integration.accounts import Names, accepted
from integration.facts import await_projected
from tidemark.api.op import Outcome
from tidemark.faults.messages import message
from tidemark.faults.sweeping import make_due, sweep
from tidemark.testing.runs import session_name
from tidemark.workloads import bank

if TYPE_CHECKING:
    from integration.site import Site


def make_every_call(site: Site) -> None:
    """Let each function do each thing that it can do."""
    client = site.client.for_session(session_name("every call"))
    names = Names.of(client)
    account_id, owner_id = names.account(), names.owner()
    opened = accepted(client.run(bank.open_account(account_id=account_id, owner_id=owner_id)))
    refused = client.run(bank.withdraw(account_id, 1))
    assert refused.outcome is Outcome.FAIL
    await_projected(site.tables, [opened])
    read = (
        client.run(bank.account(account_id)),
        client.run(bank.statement(account_id)),
        client.run(bank.owner_accounts(owner_id)),
        client.run(bank.owner_totals(owner_id)),
    )
    assert [one.status for one in read] == [200] * len(read)

    with site.lost_publishes():
        lost = [accepted(client.run(bank.deposit(account_id, amount))) for amount in (1, 2, 3)]
    second = site.tables.event(account_id, 3)
    assert second is not None
    publish(site, message(account_id, second))  # the first of them is missing on the query side
    await_projected(site.tables, lost[:2])
    make_due(site.aws, site.deployment, account_id, 4)
    sweep(site.aws, site.deployment)
    await_projected(site.tables, lost)
    if site.deployment.wiring == "queued":
        publish(site, "no event")  # is delivered again, soon


def publish(site: Site, body: str) -> None:
    site.aws.sns.publish(TopicArn=site.deployment.outputs["TopicArn"], Message=body)
