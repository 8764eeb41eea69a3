"""The command table: decides who wins, in one consistent read and one transaction.

An accepted command puts its event, moves the account's head item and puts the command record,
all or nothing (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html).
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from functions.adapters.aws_errors import RefusedWriteError, sorted_errors
from functions.adapters.event_codec import account_key, to_log
from functions.adapters.items import from_item, to_item
from functions.adapters.outbox import fresh_mark
from functions.domain.account import Account, Event, Status

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

WINDOW_S = 24 * 60 * 60
"""How long an idempotency key is remembered."""


@dataclass(frozen=True, slots=True)
class CommandRecord:
    """What a caller asked under an idempotency key, and what was answered."""

    command_id: str
    payload_hash: str
    account_id: str
    version: int
    event_id: str


class KeyTakenError(Exception):
    """The idempotency key has an accepted command already: nothing was written."""

    def __init__(self, record: CommandRecord) -> None:
        super().__init__(f"the idempotency key of {record.command_id} is taken")
        self.record = record


class CommandStore:
    """The write model: heads, events and command records of one command table."""

    def __init__(self, dynamodb: "DynamoDBClient", table_name: str) -> None:
        self._dynamodb = dynamodb
        self._table_name = table_name

    def head(self, account_id: str) -> Account | None:
        """Return the account as it is now, or None where there is none.

        Raises:
            AwsError: DynamoDB did not say.
        """
        values = self._read({"pk": account_key(account_id), "sk": "head"})
        if values is None:
            return None
        return Account(
            account_id=account_id,
            owner_id=values["owner_id"],
            version=values["version"],
            balance=values["balance"],
            status=Status(values["status"]),
        )

    def record(self, command_id: str, *, now_ms: int) -> CommandRecord | None:
        """Return what a caller's idempotency key stands for, None if it is free or free again.

        Args:
            command_id: the caller and the key.
            now_ms: the time, UTC ms, by which its window may be over.

        Raises:
            AwsError: DynamoDB did not say.
        """
        values = self._read(_command_key(command_id))
        if values is None or values["expires_at"] <= now_ms // 1000:
            return None
        return _record(values)

    def _read(self, key: dict[str, str]) -> dict[str, Any] | None:
        with sorted_errors(reading=True):
            answer = self._dynamodb.get_item(
                TableName=self._table_name, Key=to_item(key), ConsistentRead=True
            )
        item = answer.get("Item")
        return None if item is None else from_item(item)

    def append(
        self, event: Event, *, after: Account, expected_version: int, payload_hash: str
    ) -> CommandRecord:
        """Append an event, if the account is still at `expected_version` and its key is free.

        Args:
            event: the next event; its command id is the caller and the idempotency key.
            after: the account with the event applied: its new head.
            expected_version: the version that was decided on, 0 before the first event.
            payload_hash: the fingerprint of what was asked.

        Returns:
            The command record that was stored.

        Raises:
            KeyTakenError: the key was used within its window.
            ContendedError: the account is at another version, others are writing to it, or
                DynamoDB had no room.
            UnansweredError: nobody knows whether it was written.
        """
        record = CommandRecord(
            command_id=event.command_id,
            payload_hash=payload_hash,
            account_id=event.account_id,
            version=event.version,
            event_id=event.event_id,
        )
        try:
            with sorted_errors():
                self._dynamodb.transact_write_items(
                    TransactItems=[
                        {"Put": self._event(event)},
                        {"Put": self._head(after, expected_version)},
                        {"Put": self._command(record, event.recorded_at // 1000)},
                    ]
                )
        except RefusedWriteError as refused:
            # When one key races itself, head and record fail together: the record explains both.
            if refused.failed(2):
                raise KeyTakenError(_record(from_item(refused.reasons[2].item))) from refused
            raise
        return record

    def _event(self, event: Event) -> Any:
        return {
            "TableName": self._table_name,
            "Item": to_item(to_log(event) | fresh_mark(event)),
            "ConditionExpression": "attribute_not_exists(pk)",
        }

    def _head(self, after: Account, expected_version: int) -> Any:
        put = {
            "TableName": self._table_name,
            "Item": to_item(
                {
                    "pk": account_key(after.account_id),
                    "sk": "head",
                    "version": after.version,
                    "balance": after.balance,
                    "status": after.status.value,
                    "owner_id": after.owner_id,
                }
            ),
        }
        if expected_version == 0:
            return put | {"ConditionExpression": "attribute_not_exists(pk)"}
        return put | {
            "ConditionExpression": "#version = :expected",
            "ExpressionAttributeNames": {"#version": "version"},
            "ExpressionAttributeValues": to_item({":expected": expected_version}),
        }

    def _command(self, record: CommandRecord, now_s: int) -> Any:
        return {
            "TableName": self._table_name,
            "Item": to_item(
                {
                    **_command_key(record.command_id),
                    "payload_hash": record.payload_hash,
                    "response": {
                        "account_id": record.account_id,
                        "version": record.version,
                        "event_id": record.event_id,
                    },
                    "expires_at": now_s + WINDOW_S,
                }
            ),
            "ConditionExpression": "attribute_not_exists(pk) OR #expires_at <= :now",
            "ExpressionAttributeNames": {"#expires_at": "expires_at"},
            "ExpressionAttributeValues": to_item({":now": now_s}),
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }


def _command_key(command_id: str) -> dict[str, str]:
    return {"pk": f"command#{command_id}", "sk": "command"}


def _record(values: dict[str, Any]) -> CommandRecord:
    return CommandRecord(
        command_id=values["pk"].removeprefix("command#"),
        payload_hash=values["payload_hash"],
        **values["response"],
    )
