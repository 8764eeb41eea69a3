"""One event, one transaction over both tables: the heart of exactly once.

The query account's row, a statement line, the owner's totals and the acknowledgement in the
event log change together or not at all, and only if the row is at the version before. So a
redelivered, reordered or interrupted event cannot be applied twice, skipped or half done.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from functions.adapters.aws_errors import RefusedWriteError, sorted_errors
from functions.adapters.event_codec import event_data, event_key, event_type
from functions.adapters.items import from_item, to_item
from functions.adapters.read_model import (
    ACCOUNT,
    TOTALS,
    account_partition,
    line_sort_key,
    owner_partition,
)
from functions.domain.account import Account, Event
from functions.domain.projection import StatementLine, TotalsChange, effect_of

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@dataclass(frozen=True, slots=True)
class Applied:
    """The read model has the event now, and the log knows it."""


@dataclass(frozen=True, slots=True)
class AlreadyApplied:
    """The read model had the event before; it is not in the outbox any more."""


@dataclass(frozen=True, slots=True)
class Gap:
    """The read model is at `version` and misses events before this one: nothing was changed."""

    version: int


@dataclass(frozen=True, slots=True)
class NotInLog:
    """The log has another event at that version, or none: nothing was changed."""


class ProjectionStore:
    """Applies events to the query table and acknowledges them in the command table."""

    def __init__(
        self, dynamodb: "DynamoDBClient", *, command_table_name: str, query_table_name: str
    ) -> None:
        self._dynamodb = dynamodb
        self._command_table_name = command_table_name
        self._query_table_name = query_table_name

    def apply(self, event: Event, *, now_ms: int) -> Applied | AlreadyApplied | Gap | NotInLog:
        """Apply one event, if the read model is at the version before it.

        Args:
            event: the event.
            now_ms: the time of its projection (UTC ms), if this is the call that applies it.

        Raises:
            ContendedError: others were writing to the same items, or DynamoDB had no room.
            UnansweredError: nobody knows whether it was applied.
        """
        effect = effect_of(event)
        items: Any = [
            self._account(effect.account, now_ms),
            self._line(event, effect.line),
            self._totals(event.owner_id, effect.totals),
            {"Update": self._acknowledgement(event, now_ms)},
        ]
        try:
            with sorted_errors():
                self._dynamodb.transact_write_items(TransactItems=items)
        except RefusedWriteError as refused:
            found = _why_not(refused, event)
        else:
            return Applied()
        if isinstance(found, AlreadyApplied):
            return self._acknowledge(event, now_ms)
        return found

    def _acknowledge(self, event: Event, now_ms: int) -> AlreadyApplied | NotInLog:
        """Make sure that an event that is applied is no longer in the outbox."""
        try:
            with sorted_errors():
                self._dynamodb.update_item(**self._acknowledgement(event, now_ms))
        except RefusedWriteError as refused:
            if refused.failed(0):
                return NotInLog()
            raise
        return AlreadyApplied()

    def _account(self, account: Account, now_ms: int) -> Any:
        row = {
            "pk": account_partition(account.account_id),
            "sk": ACCOUNT,
            "account_id": account.account_id,
            "owner_id": account.owner_id,
            "owner_key": owner_partition(account.owner_id),
            "balance": account.balance,
            "status": account.status.value,
            "version": account.version,
            "projected_at": now_ms,
        }
        put = {
            "TableName": self._query_table_name,
            "Item": to_item(row),
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        if account.version == 1:
            return {"Put": put | {"ConditionExpression": "attribute_not_exists(pk)"}}
        return {
            "Put": put
            | {
                "ConditionExpression": "#version = :before",
                "ExpressionAttributeNames": {"#version": "version"},
                "ExpressionAttributeValues": to_item({":before": account.version - 1}),
            }
        }

    def _line(self, event: Event, line: StatementLine) -> Any:
        row = {
            "pk": account_partition(event.account_id),
            "sk": line_sort_key(event.version),
            "type": event_type(event),
            "amount": line.amount,
            "balance": line.balance,
            "recorded_at": event.recorded_at,
        }
        return {"Put": {"TableName": self._query_table_name, "Item": to_item(row)}}

    def _totals(self, owner_id: str, change: TotalsChange) -> Any:
        return {
            "Update": {
                "TableName": self._query_table_name,
                "Key": to_item({"pk": owner_partition(owner_id), "sk": TOTALS}),
                "UpdateExpression": "SET #owner_id = :owner_id "
                "ADD #accounts :accounts, #balance :balance",
                "ExpressionAttributeNames": {
                    "#owner_id": "owner_id",
                    "#accounts": "accounts",
                    "#balance": "balance",
                },
                "ExpressionAttributeValues": to_item(
                    {
                        ":owner_id": owner_id,
                        ":accounts": change.accounts,
                        ":balance": change.balance,
                    }
                ),
            }
        }

    def _acknowledgement(self, event: Event, now_ms: int) -> Any:
        # The message must be what the log says, word for word: the log is the truth. Without the
        # condition the update would create an event that nobody decided.
        return {
            "TableName": self._command_table_name,
            "Key": to_item(event_key(event.account_id, event.version)),
            "UpdateExpression": "SET #projected_at = if_not_exists(#projected_at, :now) "
            "REMOVE #outbox, #due, #attempts",
            "ConditionExpression": "#event_id = :event_id AND #type = :type AND #data = :data "
            "AND #owner_id = :owner_id AND #recorded_at = :recorded_at",
            "ExpressionAttributeNames": {
                f"#{name}": name
                for name in (
                    "projected_at",
                    "outbox",
                    "due",
                    "attempts",
                    "event_id",
                    "type",
                    "data",
                    "owner_id",
                    "recorded_at",
                )
            },
            "ExpressionAttributeValues": to_item(
                {
                    ":now": now_ms,
                    ":event_id": event.event_id,
                    ":type": event_type(event),
                    ":data": event_data(event),
                    ":owner_id": event.owner_id,
                    ":recorded_at": event.recorded_at,
                }
            ),
        }


def _why_not(refused: RefusedWriteError, event: Event) -> AlreadyApplied | Gap | NotInLog:
    """Return what the two tables have in place of the event."""
    if refused.failed(3):
        return NotInLog()
    # A conflict hides how the other conditions stood: only a second try can tell.
    if refused.contended or not refused.failed(0):
        raise refused
    version = from_item(refused.reasons[0].item).get("version", 0)
    return AlreadyApplied() if version >= event.version else Gap(version)
