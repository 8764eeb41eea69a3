"""The query table, as queries read it: one call each."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from functions.adapters.aws_errors import sorted_errors
from functions.adapters.items import from_item, to_item
from functions.adapters.read_model import (
    ACCOUNT,
    BY_OWNER,
    TOTALS,
    account_partition,
    line_sort_key,
    owner_partition,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_ACCOUNT_FIELDS = ("account_id", "owner_id", "balance", "status", "version")
_LINE_FIELDS = ("type", "amount", "balance", "recorded_at")

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows, and whether there are more behind the last one."""

    rows: list[Row]
    more: bool


class QueryStore:
    """The read model: accounts, statements and owner totals of one query table.

    Each query raises an `AwsError` where the table does not answer.
    """

    def __init__(self, dynamodb: "DynamoDBClient", table_name: str) -> None:
        self._dynamodb = dynamodb
        self._table_name = table_name

    def account(self, account_id: str, *, consistent: bool) -> Row | None:
        """Return an account as the read model has it, or None if it is not there (yet)."""
        values = self._get(account_partition(account_id), ACCOUNT, consistent=consistent)
        return values and {name: values[name] for name in _ACCOUNT_FIELDS}

    def totals(self, owner_id: str) -> Row:
        """Return how many accounts an owner has and what they hold together."""
        values = self._get(owner_partition(owner_id), TOTALS, consistent=False) or {}
        return {
            "owner_id": owner_id,
            "accounts": values.get("accounts", 0),
            "balance": values.get("balance", 0),
        }

    def _get(self, partition: str, sort_key: str, *, consistent: bool) -> Row | None:
        with sorted_errors(reading=True):
            answer = self._dynamodb.get_item(
                TableName=self._table_name,
                Key=to_item({"pk": partition, "sk": sort_key}),
                ConsistentRead=consistent,
            )
        item = answer.get("Item")
        return None if item is None else from_item(item)

    def statement(self, account_id: str, *, before: int, limit: int) -> Page:
        """Return an account's statement lines with version < before, newest first."""
        page = self._query(
            limit,
            KeyConditionExpression="pk = :pk AND sk BETWEEN :first AND :last",
            ExpressionAttributeValues=to_item(
                {
                    ":pk": account_partition(account_id),
                    ":first": line_sort_key(1),
                    ":last": line_sort_key(before - 1),
                }
            ),
            ScanIndexForward=False,
        )
        return Page([_line(row) for row in page.rows], page.more)

    def owner_accounts(self, owner_id: str, *, after: str, limit: int) -> Page:
        """Return an owner's accounts with an id > after, in the order of their ids."""
        key: dict[str, str] = {":owner": owner_partition(owner_id)}
        condition = "#owner = :owner"
        if after:
            key[":after"] = after
            condition += " AND #account > :after"
        names = {"#owner": "owner_key"} | ({"#account": "account_id"} if after else {})
        page = self._query(
            limit,
            IndexName=BY_OWNER,
            KeyConditionExpression=condition,
            ExpressionAttributeNames=names,
            ExpressionAttributeValues=to_item(key),
        )
        rows = [{name: row[name] for name in _ACCOUNT_FIELDS} for row in page.rows]
        return Page(rows, page.more)

    def _query(self, limit: int, **query: Any) -> Page:
        # One row more than asked for tells whether there are more, without a second call.
        with sorted_errors(reading=True):
            answer = self._dynamodb.query(TableName=self._table_name, Limit=limit + 1, **query)
        rows = [from_item(item) for item in answer["Items"]]
        return Page(rows[:limit], more=len(rows) > limit)


def _line(row: Row) -> Row:
    version = int(row["sk"].removeprefix("line#"))
    return {"version": version} | {name: row[name] for name in _LINE_FIELDS}
