"""The one place that knows how an event looks outside: as a log item and as a message.

The item belongs to the command table (design: its key holds account and version). The message is
what the topic carries; its schema number grows when a field changes its meaning.
"""

import json
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from functions.domain.account import (
    AccountClosed,
    AccountOpened,
    Event,
    FundsDeposited,
    FundsWithdrawn,
)

SCHEMA = 1

_TYPES: dict[str, type[Event]] = {
    fact.__name__: fact for fact in (AccountOpened, FundsDeposited, FundsWithdrawn, AccountClosed)
}
_COMMON: dict[str, Any] = {field.name: field.type for field in fields(Event)}
_DATA = {
    name: frozenset(field.name for field in fields(fact)) - _COMMON.keys()
    for name, fact in _TYPES.items()
}


class UnreadableEventError(Exception):
    """The text is not an event of a type and schema that this version knows."""


def event_type(event: Event) -> str:
    """Return the name an event's type has in items, messages and logs."""
    return type(event).__name__


def event_data(event: Event) -> dict[str, int]:
    """Return what is particular to the event's type."""
    return {name: getattr(event, name) for name in _DATA[event_type(event)]}


def account_key(account_id: str) -> str:
    """Return the partition of an account in the command table."""
    return f"account#{account_id}"


def event_key(account_id: str, version: int) -> dict[str, str]:
    """Return the key of one event in the command table."""
    return {"pk": account_key(account_id), "sk": f"event#{version:012d}"}


def to_log(event: Event) -> dict[str, Any]:
    """Return the event as an item of the log, key included."""
    return {
        **event_key(event.account_id, event.version),
        "event_id": event.event_id,
        "type": event_type(event),
        "data": event_data(event),
        "command_id": event.command_id,
        "owner_id": event.owner_id,
        "recorded_at": event.recorded_at,
    }


def from_log(values: Mapping[str, Any]) -> Event:
    """Return the event that an item of the log holds."""
    return _TYPES[values["type"]](
        event_id=values["event_id"],
        command_id=values["command_id"],
        account_id=values["pk"].removeprefix("account#"),
        owner_id=values["owner_id"],
        version=int(values["sk"].removeprefix("event#")),
        recorded_at=values["recorded_at"],
        **values["data"],
    )


def to_message(event: Event) -> str:
    """Return the event as the JSON text that the topic carries."""
    common = {name: getattr(event, name) for name in _COMMON}
    return json.dumps(
        {"schema": SCHEMA, "type": event_type(event), **common, "data": event_data(event)}
    )


def from_message(text: str) -> Event:
    """Return the event in a message.

    Raises:
        UnreadableEventError: no JSON object, another schema, an unknown type, a field that is
            missing, too much or of the wrong type.
    """
    try:
        message = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UnreadableEventError(f"not JSON: {error}") from None
    if not isinstance(message, dict) or message.get("schema") != SCHEMA:
        raise UnreadableEventError(f"not an event of schema {SCHEMA}")
    name, data = message.get("type"), message.get("data")
    if not isinstance(name, str) or name not in _TYPES:
        raise UnreadableEventError(f"unknown event type {name!r:.80}")
    if not isinstance(data, dict) or data.keys() != _DATA[name]:
        raise UnreadableEventError(f"the data of {name} are {sorted(_DATA[name])}")
    common: dict[str, Any] = {field: message.get(field) for field in _COMMON}
    for field, value in (common | data).items():
        expected = _COMMON.get(field, int)
        if type(value) is not expected or value == "" or (expected is int and value < 0):
            raise UnreadableEventError(f"{field} is not a usable {expected.__name__}")
    if common["version"] < 1:
        raise UnreadableEventError("versions begin with 1")
    return _TYPES[name](**common, **data)
