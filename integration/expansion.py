"""One call of an SDK as the permissions that it takes, item by item.

A transaction is authorised as what its items are
(https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html), a
batch by each of its keys.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tidemark.errors import TidemarkError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

_EQUALS = re.compile(r"([#\w]+)\s*=\s*(:\w+)")
_IN_A_TRANSACTION = {
    "ConditionCheck": "ConditionCheckItem",
    "Delete": "DeleteItem",
    "Get": "GetItem",
    "Put": "PutItem",
    "Update": "UpdateItem",
}


class UnknownCallError(TidemarkError):
    """A function made a call whose permissions are not known here."""


@dataclass(frozen=True, slots=True)
class Permission:
    """What one item of a call takes.

    Attributes:
        action: The IAM action.
        resource: The table, topic ARN or queue URL, as the call names it.
        index: The table's index, if the call is made on one.
        leading_key: The partition key, if it has one that is a string.
    """

    action: str
    resource: str
    index: str = ""
    leading_key: str = ""


def expand(
    service: str,
    operation: str,
    parameters: Mapping[str, Any],
    partition_key: Callable[[str, str], str],
) -> Iterator[Permission]:
    """Yield the permissions that a call takes.

    Args:
        service: The SDK's name of the service, such as `dynamodb`.
        operation: The API's name of the operation, such as `TransactWriteItems`.
        parameters: The call's parameters, as the SDK was given them.
        partition_key: Names the partition key of a table, or of its index if one is given.

    Raises:
        UnknownCallError: The permissions of the operation are not known here.
    """
    match service, operation:
        case "dynamodb", "GetItem" | "UpdateItem" | "DeleteItem" | "PutItem":
            yield _item(operation, parameters, partition_key)
        case "dynamodb", "TransactWriteItems" | "TransactGetItems":
            for item in parameters["TransactItems"]:
                [(kind, one)] = item.items()
                yield _item(_IN_A_TRANSACTION[kind], one, partition_key)
        case "dynamodb", "BatchGetItem":
            for table, request in parameters["RequestItems"].items():
                for key in request["Keys"]:
                    yield _item(operation, {"TableName": table, "Key": key}, partition_key)
        case "dynamodb", "Query":
            yield _query(parameters, partition_key)
        case "sns", "Publish":
            yield Permission("sns:Publish", parameters["TopicArn"])
        case "sqs", "ChangeMessageVisibility":
            yield Permission(f"sqs:{operation}", parameters["QueueUrl"])
        case _:
            raise UnknownCallError(
                f"What {service} {operation} takes is not known here: teach it to "
                "integration/expansion.py."
            )


def _item(
    action: str, item: Mapping[str, Any], partition_key: Callable[[str, str], str]
) -> Permission:
    table = item["TableName"]
    values = item["Key"] if "Key" in item else item["Item"]
    return Permission(
        f"dynamodb:{action}", table, leading_key=_string(values[partition_key(table, "")])
    )


def _query(parameters: Mapping[str, Any], partition_key: Callable[[str, str], str]) -> Permission:
    table, index = parameters["TableName"], parameters.get("IndexName", "")
    names = parameters.get("ExpressionAttributeNames", {})
    wanted = partition_key(table, index)
    for name, placeholder in _EQUALS.findall(parameters["KeyConditionExpression"]):
        if names.get(name, name) == wanted:
            value = parameters["ExpressionAttributeValues"][placeholder]
            return Permission("dynamodb:Query", table, index, _string(value))
    raise UnknownCallError(
        f"The query {parameters['KeyConditionExpression']} on {table} names no {wanted}: teach its "
        "form to integration/expansion.py."
    )


def _string(value: Mapping[str, str]) -> str:
    return value.get("S", "")


def pattern_of(key: str, families: Iterable[str]) -> str:
    """The pattern of a partition key: its family, then anything.

    Args:
        key: The partition key.
        families: How partition keys may begin. A key of none stands for itself, so that a policy
            made for the families does not cover it.
    """
    return next((f"{one}*" for one in families if key.startswith(one)), key)
