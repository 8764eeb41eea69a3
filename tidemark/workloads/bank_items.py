"""The bank's items in both tables: where each is, and what it says. The only place that knows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.types import TypeDeserializer

from tidemark.errors import TidemarkError

if TYPE_CHECKING:
    from collections.abc import Mapping

Row = dict[str, Any]
"""An item as plain values; every number in these tables is an integer."""

Key = dict[str, dict[str, str]]

OUTBOX_INDEX = "outbox"
"""The index of the command table that has the events which are not projected yet."""

STUCK_ATTEMPTS = 10
"""An event with so many copies is stuck: the sweeper publishes it once an hour."""

_EVENT = "event#"
_LINE = "line#"
_GENERATION = "g1"

_deserialize = TypeDeserializer().deserialize


def plain(item: Mapping[str, Any]) -> Row:
    """Take DynamoDB's types off an item."""
    return {name: _integers(_deserialize(value)) for name, value in item.items()}


def _integers(value: Any) -> Any:
    """DynamoDB hands over decimals."""
    if isinstance(value, dict):
        return {name: _integers(inner) for name, inner in value.items()}
    return value if isinstance(value, str | bool) else int(value)


def event_key(account_id: str, version: int) -> Key:
    """Return where the event of a version is, in the command table."""
    return _key(_log(account_id), f"{_EVENT}{version:012d}")


def head_key(account_id: str) -> Key:
    """Return where an account's head is, in the command table."""
    return _key(_log(account_id), "head")


def command_id(principal: str, idempotency_key: str) -> str:
    """Return the id of a command: a key is its principal's own."""
    return f"{principal}#{idempotency_key}"


def principal_and_key(command: str) -> tuple[str, str]:
    """Return who commanded, and under which idempotency key, as a command's id says."""
    principal, _, key = command.partition("#")  # a principal has none, a key may have some
    return principal, key


def stands_for(wanted_id: str, command: object) -> bool:
    """Whether somebody who names an id may mean a command: its id is that, or its key alone."""
    return isinstance(command, str) and wanted_id in (command, principal_and_key(command)[1])


def command_key(command: str) -> Key:
    """Return where the record of an accepted command is, in the command table."""
    return _key(f"command#{command}", "command")


def account_key(account_id: str) -> Key:
    """Return where an account is, in the query table."""
    return _key(_lines(account_id), "account")


def line_key(account_id: str, version: int) -> Key:
    """Return where the statement line of a version is, in the query table."""
    return _key(_lines(account_id), f"{_LINE}{version:012d}")


def totals_key(owner_id: str) -> Key:
    """Return where an owner's totals are, in the query table."""
    return _key(f"{_GENERATION}#owner#{owner_id}", "totals")


def all_events(account_id: str) -> dict[str, Any]:
    """Return the arguments of a query that finds an account's events, in order."""
    return _beginning(_log(account_id), _EVENT)


def all_lines(account_id: str) -> dict[str, Any]:
    """Return the arguments of a query that finds an account's statement lines, oldest first."""
    return _beginning(_lines(account_id), _LINE)


def view_of(account_id: str) -> dict[str, Any]:
    """Return the arguments of a query that finds all that the query table has of an account."""
    return {
        "KeyConditionExpression": "pk = :pk",
        "ExpressionAttributeValues": {":pk": {"S": _lines(account_id)}},
        "ConsistentRead": True,
    }


def of_run(prefix: str) -> dict[str, Any]:
    """Return the arguments of a scan that leaves out what is not a run's, and says so itself.

    Some of others may come along. Lines of an account whose id the server made do not come.
    """
    return {
        "FilterExpression": "contains(#pk, :run) OR begins_with(#owner, :run) "
        "OR begins_with(#response.#account, :run)",
        "ExpressionAttributeNames": {
            "#pk": "pk",
            "#owner": "owner_id",
            "#response": "response",
            "#account": "account_id",
        },
        "ExpressionAttributeValues": {":run": {"S": prefix}},
    }


def unprojected_of_run(prefix: str) -> dict[str, Any]:
    """Return the arguments of a scan that leaves out all but a run's events on their way."""
    return {
        "FilterExpression": "begins_with(#sk, :event) "
        "AND (contains(#pk, :run) OR begins_with(#owner, :run)) "
        "AND (attribute_not_exists(#projected) OR attribute_exists(#mark))",
        "ExpressionAttributeNames": {
            "#pk": "pk",
            "#sk": "sk",
            "#owner": "owner_id",
            "#projected": "projected_at",
            "#mark": "outbox",
        },
        "ExpressionAttributeValues": {":run": {"S": prefix}, ":event": {"S": _EVENT}},
    }


def _log(account_id: str) -> str:
    return f"account#{account_id}"


def _lines(account_id: str) -> str:
    return f"{_GENERATION}#account#{account_id}"


def _key(pk: str, sk: str) -> Key:
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def _beginning(pk: str, sk: str) -> dict[str, Any]:
    return {
        "KeyConditionExpression": "pk = :pk AND begins_with(sk, :sk)",
        "ExpressionAttributeValues": {":pk": {"S": pk}, ":sk": {"S": sk}},
        "ConsistentRead": True,
    }


@dataclass(frozen=True, slots=True, order=True)
class EventKey:
    """Where an event is in the log, and who says so."""

    account_id: str
    version: int
    event_id: str


@dataclass(frozen=True, slots=True)
class Mark:
    """An event's mark in the outbox: it is not projected yet.

    Attributes:
        due_ms: When the sweeper takes it next, UTC milliseconds.
        attempts: How many copies the sweeper has published.
    """

    due_ms: int
    attempts: int

    @property
    def is_stuck(self) -> bool:
        """Whether so many copies did not help; the sweeper publishes it once an hour."""
        return self.attempts >= STUCK_ATTEMPTS


@dataclass(frozen=True, slots=True)
class Event:
    """One event of the log.

    Attributes:
        key: Account, version and event id.
        type: What kind of fact it is.
        owner_id: Whose account it is.
        command_id: The id of the command that caused it: principal and idempotency key.
        data: What is particular to its type.
        recorded_at_ms: When it was decided, UTC milliseconds.
        projected_at_ms: When it was projected; None when it is not yet.
        mark: Its mark in the outbox; None when it is projected.
    """

    key: EventKey
    type: str
    owner_id: str
    command_id: str
    data: Mapping[str, Any]
    recorded_at_ms: int
    projected_at_ms: int | None
    mark: Mark | None

    @property
    def lag_ms(self) -> int | None:
        """The projection lag by the system's clocks; None when it is not projected yet."""
        if self.projected_at_ms is None:
            return None
        return self.projected_at_ms - self.recorded_at_ms


def event_of(item: Mapping[str, Any]) -> Event:
    """Read an event of the log.

    Raises:
        TidemarkError: It is none that this version knows.
    """
    row = plain(item)
    try:
        return Event(
            key=EventKey(
                account_id=row["pk"].removeprefix(_log("")),
                version=int(row["sk"].removeprefix(_EVENT)),
                event_id=row["event_id"],
            ),
            type=row["type"],
            owner_id=row["owner_id"],
            command_id=row["command_id"],
            data=row["data"],
            recorded_at_ms=int(row["recorded_at"]),
            projected_at_ms=row.get("projected_at"),
            mark=Mark(row["due"], row["attempts"]) if "outbox" in row else None,
        )
    except (KeyError, ValueError) as error:
        raise TidemarkError(
            f"The log has an item that this version of Tidemark cannot read as an event "
            f"({row.get('pk')} {row.get('sk')}, {error!r}): deploy the stack again with this "
            "version."
        ) from error


def nobodys_event(item: Mapping[str, Any]) -> Event | None:
    """Read an item at an event's place that no command wrote; None where it is an event.

    An update makes the item that it does not find: then there is a mark, and no fact.
    """
    row = plain(item)
    if "type" in row:
        return None
    version = int(row["sk"].removeprefix(_EVENT))
    key = EventKey(row["pk"].removeprefix(_log("")), version, row.get("event_id", ""))
    return Event(key, "", "", "", {}, 0, row.get("projected_at"), None)


def event_of_command(row: Row) -> EventKey:
    """Return the event that a command's record answers with."""
    response = row["response"]
    return EventKey(response["account_id"], response["version"], response["event_id"])
