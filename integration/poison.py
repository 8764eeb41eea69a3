"""Poison that was sent to the queue, and what came after it."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from integration.accounts import Names, accepted, outside
from tidemark.faults.poison import of_each_kind, poisoned
from tidemark.workloads import bank

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from integration.facts import Fact
    from integration.site import Site
    from tidemark.faults.dead_letters import DeadLetters


@dataclass(frozen=True)
class Injected:
    """Poison that was sent to the queue.

    Attributes:
        names: The names that it was made with.
        bodies: The message of each kind.
        message_ids: Its id in the queue.
        letters: Takes it out of the dead-letter queue.
        later: A deposit on the account that the poison pretends to be about, made after it.
    """

    names: Names
    bodies: Mapping[str, str]
    message_ids: Mapping[str, str]
    letters: DeadLetters
    later: Fact


@contextmanager
def injected(site: Site) -> Iterator[Injected]:
    """Send poison of each kind, all at once; then deposit on the same account."""
    # What is made up here belongs to no run.
    client = outside(site.client, "poison")
    names = Names.of(client)
    account_id = names.account()
    accepted(client.run(bank.open_account(account_id=account_id, owner_id=names.owner())))
    accepted(client.run(bank.deposit(account_id, 100)))
    event = site.tables.event(account_id, 2)
    assert event is not None
    bodies = of_each_kind(account_id, event, nobody=names.account("nobody"))
    with poisoned(site.journal, site.aws, site.deployment, bodies, site.history.writer) as poison:
        later = accepted(client.run(bank.deposit(account_id, 11)))
        yield Injected(names, bodies, poison.message_ids, poison.letters, later)
