"""The event log, read only: what the projection heals gaps from."""

from typing import TYPE_CHECKING

from functions.adapters.aws_errors import sorted_errors
from functions.adapters.event_codec import Unreadable, account_key, event_key, from_log
from functions.adapters.items import from_item, to_item
from functions.domain.account import Event

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class EventLog:
    """The events of one command table."""

    def __init__(self, dynamodb: "DynamoDBClient", table_name: str) -> None:
        self._dynamodb = dynamodb
        self._table_name = table_name

    def between(
        self, account_id: str, *, after: int, before: int, most: int
    ) -> list[Event | Unreadable]:
        """Return an account's events with after < version < before, in order, consistently read.

        Args:
            account_id: the account.
            after: the version behind which to begin.
            before: the version before which to end.
            most: how many to read at the most: DynamoDB reads, and bills, no further.

        Raises:
            AwsError: DynamoDB did not say.
        """
        if before - after <= 1:
            return []
        with sorted_errors(reading=True):
            answer = self._dynamodb.query(
                TableName=self._table_name,
                ConsistentRead=True,
                Limit=most,
                KeyConditionExpression="pk = :pk AND sk BETWEEN :first AND :last",
                ExpressionAttributeValues=to_item(
                    {
                        ":pk": account_key(account_id),
                        ":first": event_key(account_id, after + 1)["sk"],
                        ":last": event_key(account_id, before - 1)["sk"],
                    }
                ),
            )
        return [from_log(from_item(item)) for item in answer["Items"]]
