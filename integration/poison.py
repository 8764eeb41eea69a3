"""Poison: messages of each kind that can never be projected."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from integration.accounts import Names, accepted
from integration.messages import message, unknown_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    from integration.facts import Fact
    from integration.messages import Queue
    from integration.site import Site

KINDS = (
    "no JSON",
    "no object",
    "another schema",
    "unknown type",
    "impossible version",
    "version zero",
    "unknown event id",
    "unknown account",
)


@dataclass(frozen=True)
class Injected:
    """Poison that was sent to the queue.

    Attributes:
        names: The names that it was made with.
        bodies: The message of each kind.
        message_ids: Its id in the queue.
        later: A deposit on the account that the poison pretends to be about, made after it.
    """

    names: Names
    bodies: Mapping[str, str]
    message_ids: Mapping[str, str]
    later: Fact


def inject(site: Site, queue: Queue) -> Injected:
    """Send poison of each kind, all at once; then deposit on the same account."""
    names = Names.fresh()
    account_id = names.account()
    accepted(site.bank.open_account(account_id=account_id, owner_id=names.owner()))
    accepted(site.bank.deposit(account_id, 100))
    event = site.tables.event(account_id, 2)
    assert event is not None
    nobody = names.account("nobody")
    bodies = {
        "no JSON": f"{{{names.prefix}",
        "no object": json.dumps([names.prefix]),
        "another schema": message(account_id, event, schema=99),
        "unknown type": message(account_id, event, type="FundsForgotten"),
        "impossible version": message(account_id, event, version=1_000, event_id=unknown_id()),
        "version zero": message(account_id, event, version=0, event_id=unknown_id()),
        "unknown event id": message(account_id, event, event_id=unknown_id()),
        "unknown account": message(nobody, event, version=1, event_id=unknown_id()),
    }
    assert tuple(bodies) == KINDS
    message_ids = dict(zip(bodies, queue.send(*bodies.values()), strict=True))
    return Injected(names, bodies, message_ids, accepted(site.bank.deposit(account_id, 11)))
