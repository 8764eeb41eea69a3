"""What an id is, as far as items, lines and letters name it, and the events it stands for."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from tidemark.trace.lines import event_key, is_named
from tidemark.workloads.bank_items import stands_for

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tidemark.workloads.bank_items import Event, EventKey


class Kind(StrEnum):
    """What an id can be."""

    COMMAND = "command"
    EVENT = "event"
    ACCOUNT = "account"
    MESSAGE = "message"


_NAMES = {
    Kind.EVENT: "event_id",
    Kind.COMMAND: "command_id",
    Kind.ACCOUNT: "account_id",
    Kind.MESSAGE: "message_id",
}


@dataclass(frozen=True, slots=True)
class Subject:
    """What an id is.

    Attributes:
        kind: What it is.
        keys: The events that it stands for.
        account_id: The account that it belongs to, if any.
    """

    kind: Kind
    keys: set[EventKey] = field(default_factory=set)
    account_id: str | None = None


def name_in(
    wanted_id: str, kind: Kind | None, members: Iterable[Mapping[str, Any]]
) -> Subject | None:
    """What an id is by the name that it has in lines or letters.

    Args:
        wanted_id: The id.
        kind: What it must be, if the caller says so.
        members: What each line or letter says.
    """
    said = list(members)
    for candidate, name in _NAMES.items():
        found = [one for one in said if is_named(one, name, wanted_id)]
        if not found or kind not in (None, candidate):
            continue
        keys = {key for one in found if (key := event_key(one)) is not None}
        accounts = [one["account_id"] for one in found if isinstance(one.get("account_id"), str)]
        return Subject(candidate, keys, accounts[0] if accounts else None)
    return None


def find_in(wanted_id: str, kind: Kind | None, events: Iterable[Event]) -> Subject | None:
    """What an id is by the events of the log that have it; arguments as for :func:`name_in`."""
    of_kind = {
        Kind.EVENT: {one.key for one in events if one.key.event_id == wanted_id},
        Kind.COMMAND: {one.key for one in events if stands_for(wanted_id, one.command_id)},
    }
    for candidate, keys in of_kind.items():
        if keys and kind in (None, candidate):
            return Subject(candidate, keys, min(keys).account_id)
    return None
