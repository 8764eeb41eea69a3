"""Both tables, read consistently and by key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from boto3.dynamodb.types import TypeDeserializer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_dynamodb import DynamoDBClient

    from tidemark.aws.clients import AwsClients
    from tidemark.host.deployment import Deployment

Row = dict[str, Any]

_deserialize = TypeDeserializer().deserialize


@dataclass(frozen=True)
class Tables:
    """The command table and the query table of one deployment."""

    dynamodb: DynamoDBClient
    command_table: str
    query_table: str

    @classmethod
    def of(cls, deployment: Deployment, aws: AwsClients) -> Self:
        outputs = deployment.outputs
        return cls(aws.dynamodb, outputs["CommandTableName"], outputs["QueryTableName"])

    def event(self, account_id: str, version: int) -> Row | None:
        return self._get(self.command_table, f"account#{account_id}", f"event#{version:012d}")

    def head(self, account_id: str) -> Row | None:
        return self._get(self.command_table, f"account#{account_id}", "head")

    def command(self, idempotency_key: str) -> Row | None:
        return self._get(self.command_table, f"command#{idempotency_key}", "command")

    def log(self, account_id: str) -> list[Row]:
        """All events of an account, in order."""
        return self._query(self.command_table, f"account#{account_id}", "event#")

    def account(self, account_id: str) -> Row | None:
        return self._get(self.query_table, f"g1#account#{account_id}", "account")

    def line(self, account_id: str, version: int) -> Row | None:
        return self._get(self.query_table, f"g1#account#{account_id}", f"line#{version:012d}")

    def lines(self, account_id: str) -> list[Row]:
        """All statement lines of an account, oldest first."""
        return self._query(self.query_table, f"g1#account#{account_id}", "line#")

    def totals(self, owner_id: str) -> Row | None:
        return self._get(self.query_table, f"g1#owner#{owner_id}", "totals")

    def _get(self, table: str, pk: str, sk: str) -> Row | None:
        item = self.dynamodb.get_item(
            TableName=table, Key={"pk": {"S": pk}, "sk": {"S": sk}}, ConsistentRead=True
        ).get("Item")
        return None if item is None else _plain(item)

    def _query(self, table: str, pk: str, prefix: str) -> list[Row]:
        pages = self.dynamodb.get_paginator("query").paginate(
            TableName=table,
            ConsistentRead=True,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :prefix)",
            ExpressionAttributeValues={":pk": {"S": pk}, ":prefix": {"S": prefix}},
        )
        return [_plain(item) for page in pages for item in page["Items"]]


def _plain(item: Mapping[str, Any]) -> Row:
    return {name: _whole(_deserialize(value)) for name, value in item.items()}


def _whole(value: Any) -> Any:
    """Every number here is whole; DynamoDB hands them over as decimals."""
    if isinstance(value, dict):
        return {name: _whole(one) for name, one in value.items()}
    return value if isinstance(value, str) else int(value)
