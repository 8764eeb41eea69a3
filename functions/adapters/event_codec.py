"""The one place that knows how an event looks outside: as a log item and as a message.

The item belongs to the command table (design: its key holds account and version). The message is
what the topic carries; its schema number grows when a field changes its meaning. Reading and
writing obey the same rules, so that nothing is written which no reader takes.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_type_hints

from functions.domain.account import (
    AccountClosed,
    AccountOpened,
    Event,
    FundsDeposited,
    FundsWithdrawn,
)

SCHEMA = 1

_LARGEST = 2**53 - 1  # the largest integer that every JSON reader keeps exact
_LARGEST_VERSION = 10**12 - 1  # the largest that fits its digits in a sort key
_LONGEST_BYTES = 1_024  # of a text, with room for the rest of a key: DynamoDB takes 2,048
_SORT_KEY = re.compile(r"event#([0-9]{12})")

Types = dict[str, type]


def field_types(fact: type[Event]) -> Types:
    """Return the names and types of an event's fields.

    Raises:
        TypeError: a field has a type that does not come back from a table and from JSON as it
            went in; only `int`, `str` and `bool` do.
    """
    types = get_type_hints(fact)
    for name, expected in types.items():
        if expected not in (int, str, bool):
            raise TypeError(
                f"{fact.__name__}.{name} is {expected!r}: fields of events are int, str or bool"
            )
    return types


_TYPES: dict[str, type[Event]] = {
    fact.__name__: fact for fact in (AccountOpened, FundsDeposited, FundsWithdrawn, AccountClosed)
}
_COMMON = field_types(Event)
_DATA: dict[str, Types] = {
    type_name: {name: kind for name, kind in field_types(fact).items() if name not in _COMMON}
    for type_name, fact in _TYPES.items()
}


@dataclass(frozen=True, slots=True)
class Unreadable:
    """What stands where an event should, and why this version does not know it as one."""

    reason: str


def event_type(event: Event) -> str:
    """Return the name an event's type has in items, messages and logs."""
    return type(event).__name__


def event_data(event: Event) -> dict[str, Any]:
    """Return what is particular to the event's type."""
    return {name: getattr(event, name) for name in _DATA[event_type(event)]}


def account_key(account_id: str) -> str:
    """Return the partition of an account in the command table."""
    return f"account#{account_id}"


def event_key(account_id: str, version: int) -> dict[str, str]:
    """Return the key of one event in the command table."""
    return {"pk": account_key(account_id), "sk": f"event#{version:012d}"}


def to_log(event: Event) -> dict[str, Any]:
    """Return the event as an item of the log, key included.

    Raises:
        ValueError: no reader would take it: better no fact than one that nobody can project.
    """
    found = _read(event_type(event), _common(event), event_data(event))
    if isinstance(found, Unreadable):
        raise ValueError(f"this {event_type(event)} could not be read again: {found.reason}")  # noqa: TRY004 - its value is what is wrong
    return {
        **event_key(event.account_id, event.version),
        "event_id": event.event_id,
        "type": event_type(event),
        "data": event_data(event),
        "command_id": event.command_id,
        "owner_id": event.owner_id,
        "recorded_at": event.recorded_at,
    }


def from_log(values: Mapping[str, Any]) -> Event | Unreadable:
    """Return the event that an item of the log holds, if this version can read it."""
    sort_key = _SORT_KEY.fullmatch(values["sk"])
    key = {
        "account_id": values["pk"].removeprefix("account#"),
        "version": int(sort_key[1]) if sort_key else None,
    }
    common = {name: values.get(name) for name in _COMMON} | key
    return _read(values.get("type"), common, values.get("data"))


def to_message(event: Event) -> str:
    """Return the event as the JSON text that the topic carries."""
    return json.dumps(
        {"schema": SCHEMA, "type": event_type(event), **_common(event), "data": event_data(event)}
    )


def from_message(text: str) -> Event | Unreadable:
    """Return the event in a message.

    It is unreadable if it is no JSON object, of another schema or of an unknown type, or if a
    field is missing, too much or of the wrong type.
    """
    try:
        message = json.loads(text)
    except (ValueError, RecursionError) as error:
        return Unreadable(f"not JSON: {error}")
    if not isinstance(message, dict) or message.get("schema") != SCHEMA:
        return Unreadable(f"not an event of schema {SCHEMA}")
    common = {name: message.get(name) for name in _COMMON}
    return _read(message.get("type"), common, message.get("data"))


def _common(event: Event) -> dict[str, Any]:
    return {name: getattr(event, name) for name in _COMMON}


def _read(type_name: Any, common: Mapping[str, Any], data: Any) -> Event | Unreadable:
    if not isinstance(type_name, str) or type_name not in _TYPES:
        return Unreadable(f"unknown event type {type_name!r:.80}")
    expected = _DATA[type_name]
    if not isinstance(data, dict) or data.keys() != expected.keys():
        return Unreadable(f"the data of {type_name} are {sorted(expected)}")
    for name, kind in (_COMMON | expected).items():
        value = common[name] if name in _COMMON else data[name]
        # Of exactly this type: True is no version.
        if type(value) is not kind or not _fits(value) or (name in _COMMON and value == ""):
            return Unreadable(f"{name} is not a usable {kind.__name__}")
    if not 1 <= common["version"] <= _LARGEST_VERSION:
        return Unreadable(f"versions go from 1 to {_LARGEST_VERSION}")
    return _TYPES[type_name](**common, **data)


def _fits(value: Any) -> bool:
    """Tell whether a number or a text comes back from a table and from JSON as it is."""
    if isinstance(value, int):
        return -_LARGEST <= value <= _LARGEST
    try:
        return len(value.encode()) <= _LONGEST_BYTES
    except UnicodeEncodeError:  # half a surrogate pair, which JSON can write and UTF-8 cannot
        return False
