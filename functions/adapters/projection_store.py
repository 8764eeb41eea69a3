"""One event, one transaction over both tables: the heart of exactly once.

The query account's row, a statement line, the owner's totals and the acknowledgement in the
event log change together or not at all, and only if the row is at the version before. So a
redelivered, reordered or interrupted event cannot be applied twice, skipped or half done.
"""

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from functions.adapters.event_codec import event_data, event_key, event_type
from functions.adapters.items import from_item, to_item
from functions.adapters.read_model import (
    ACCOUNT,
    TOTALS,
    account_partition,
    line_sort_key,
    owner_partition,
)
from functions.adapters.transactions import (
    FAILED_CONDITION,
    FAILED_CONDITION_EXCEPTION,
    ContendedError,
    cancellation,
    is_contention,
)
from functions.domain.account import (
    AccountClosed,
    AccountOpened,
    Event,
    FundsDeposited,
    FundsWithdrawn,
    Status,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class UnknownEventError(Exception):
    """The log has no such event: whoever sent it, it is not a fact."""


class AlreadyAppliedError(Exception):
    """The read model has this event already."""


class GapError(Exception):
    """The read model misses events before this one; it is at `version`."""

    def __init__(self, version: int) -> None:
        super().__init__(f"the read model is at version {version}")
        self.version = version


class ProjectionStore:
    """Applies events to the query table and acknowledges them in the command table."""

    def __init__(
        self, dynamodb: "DynamoDBClient", *, command_table_name: str, query_table_name: str
    ) -> None:
        self._dynamodb = dynamodb
        self._command_table_name = command_table_name
        self._query_table_name = query_table_name

    def apply(self, event: Event, *, now_ms: int) -> None:
        """Apply one event.

        Raises:
            UnknownEventError: the log has another event, or none, at that version.
            AlreadyAppliedError: the account's row is at that version or beyond.
            GapError: the account's row is not yet at the version before.
            ContendedError: nothing is wrong, try again.
        """
        items: Any = [
            self._account(event, now_ms),
            self._line(event),
            self._totals(event),
            {"Update": self._acknowledgement(event, now_ms)},
        ]
        try:
            self._dynamodb.transact_write_items(TransactItems=items)
        except ClientError as error:
            self._raise_reason(error, event)
            raise

    def _raise_reason(self, error: ClientError, event: Event) -> None:
        reasons = cancellation(error)
        if reasons and reasons[3].code == FAILED_CONDITION:
            raise UnknownEventError(
                f"the log does not have this event at version {event.version}"
            ) from error
        # A conflict hides how the other conditions stood: only a second try can tell.
        if is_contention(error):
            raise ContendedError from error
        if reasons and reasons[0].code == FAILED_CONDITION:
            version = from_item(reasons[0].item).get("version", 0)
            if version >= event.version:
                raise AlreadyAppliedError from error
            raise GapError(version) from error

    def acknowledge(self, event: Event, *, now_ms: int) -> None:
        """Make sure that an applied event is no longer in the outbox."""
        try:
            self._dynamodb.update_item(**self._acknowledgement(event, now_ms))
        except ClientError as error:
            if error.response["Error"]["Code"] == FAILED_CONDITION_EXCEPTION:
                raise UnknownEventError(str(error)) from error
            if is_contention(error):
                raise ContendedError from error
            raise

    def _account(self, event: Event, now_ms: int) -> Any:
        row = {
            "account_id": event.account_id,
            "owner_id": event.owner_id,
            "owner_key": owner_partition(event.owner_id),
            "balance": _balance_after(event),
            "status": (Status.CLOSED if isinstance(event, AccountClosed) else Status.OPEN).value,
            "version": event.version,
            "projected_at": now_ms,
            "pk": account_partition(event.account_id),
            "sk": ACCOUNT,
        }
        put = {
            "TableName": self._query_table_name,
            "Item": to_item(row),
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        if event.version == 1:
            return {"Put": put | {"ConditionExpression": "attribute_not_exists(pk)"}}
        return {
            "Put": put
            | {
                "ConditionExpression": "#version = :before",
                "ExpressionAttributeNames": {"#version": "version"},
                "ExpressionAttributeValues": to_item({":before": event.version - 1}),
            }
        }

    def _line(self, event: Event) -> Any:
        line = {
            "pk": account_partition(event.account_id),
            "sk": line_sort_key(event.version),
            "type": event_type(event),
            "amount": event_data(event).get("amount", 0),
            "balance": _balance_after(event),
            "recorded_at": event.recorded_at,
        }
        return {"Put": {"TableName": self._query_table_name, "Item": to_item(line)}}

    def _totals(self, event: Event) -> Any:
        return {
            "Update": {
                "TableName": self._query_table_name,
                "Key": to_item({"pk": owner_partition(event.owner_id), "sk": TOTALS}),
                "UpdateExpression": "SET #owner_id = :owner_id ADD #accounts :one, #balance :sum",
                "ExpressionAttributeNames": {
                    "#owner_id": "owner_id",
                    "#accounts": "accounts",
                    "#balance": "balance",
                },
                "ExpressionAttributeValues": to_item(
                    {
                        ":owner_id": event.owner_id,
                        ":one": int(isinstance(event, AccountOpened)),
                        ":sum": _balance_change(event),
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


def _balance_after(event: Event) -> int:
    return event.balance if isinstance(event, FundsDeposited | FundsWithdrawn) else 0


def _balance_change(event: Event) -> int:
    match event:
        case FundsDeposited(amount=amount):
            return amount
        case FundsWithdrawn(amount=amount):
            return -amount
    return 0
