"""DynamoDB: conditions, transactions, and what a cancelled one says."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from tidemark.probe.observation import TRYING_S, NotSeenInTimeError, compare, differs, same
from tidemark.probe.row import Topic

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

    from tidemark.probe.bench import Bench
    from tidemark.probe.observation import Observation

topic = Topic("DynamoDB conditions and transactions", makes=("tables",))

_REFERENCE = "https://docs.aws.amazon.com/amazondynamodb/latest/APIReference"
_TRANSACT = f"{_REFERENCE}/API_TransactWriteItems.html"
_TRANSACTIONS = (
    "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html"
)
# The guide says the one, the reference the other.
_VALIDATION_ERRORS = ("ValidationException", "TransactionCanceledException, ValidationError")
_WRITERS = 4
_CONFLICTS_WITHIN_S = 4


def _put(table: str, sort_key: str, **more: Any) -> TransactWriteItemTypeDef:
    item = {"pk": {"S": "a"}, "sk": {"S": sort_key}}
    put: Any = {"TableName": table, "Item": item, **more}
    return {"Put": put}


def _add(table: str, sort_key: str = "sum", amount: int = 1) -> TransactWriteItemTypeDef:
    update: Any = {
        "TableName": table,
        "Key": {"pk": {"S": "a"}, "sk": {"S": sort_key}},
        "UpdateExpression": "ADD #total :amount",
        "ExpressionAttributeNames": {"#total": "total"},
        "ExpressionAttributeValues": {":amount": {"N": str(amount)}},
    }
    return {"Update": update}


def _total(bench: Bench, table: str) -> int:
    key = {"pk": {"S": "a"}, "sk": {"S": "sum"}}
    item = bench.clients.dynamodb.get_item(TableName=table, Key=key, ConsistentRead=True)
    return int(item["Item"]["total"]["N"])


@topic.row(
    "failed-condition",
    aws="A write whose condition fails raises ConditionalCheckFailedException, with the old item "
    "when asked.",
    documentation=f"{_REFERENCE}/API_PutItem.html",
    within_s=20,
)
def failed_condition(bench: Bench) -> Observation:
    """Put an item that is there, if it is absent."""
    table = bench.table()
    dynamodb = bench.clients.dynamodb
    item: Any = {"pk": {"S": "a"}, "sk": {"S": "1"}, "value": {"S": "old"}}
    dynamodb.put_item(TableName=table, Item=item)
    try:
        dynamodb.put_item(
            TableName=table,
            Item={**item, "value": {"S": "new"}},
            ConditionExpression="attribute_not_exists(pk)",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    except ClientError as error:
        code = error.response["Error"]["Code"]
        is_given = error.response.get("Item") == item
        is_same = code == "ConditionalCheckFailedException" and is_given
        said = f"{code}, old item {'given' if is_given else 'missing'}"
        return compare(is_same, said)
    return differs("the item is overwritten")


@topic.row(
    "cancellation-reasons",
    aws="A cancelled transaction names one reason per item, in order, with the old item when "
    "asked; nothing is written.",
    documentation=_TRANSACT,
    within_s=20,
)
def cancellation_reasons(bench: Bench) -> Observation:
    """Cancel a transaction by its second item."""
    table = bench.table()
    dynamodb = bench.clients.dynamodb
    absent = {
        "ConditionExpression": "attribute_not_exists(pk)",
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    dynamodb.transact_write_items(TransactItems=[_put(table, "2")])
    try:
        dynamodb.transact_write_items(
            TransactItems=[_put(table, "1"), _put(table, "2", **absent), _put(table, "3")]
        )
    except ClientError as error:
        reasons = _reasons(error)
        codes = [str(one.get("Code")) for one in reasons]
        is_given = len(reasons) > 1 and reasons[1].get("Item", {}).get("sk") == {"S": "2"}
        count = dynamodb.scan(TableName=table, ConsistentRead=True)["Count"]
        is_same = codes == ["None", "ConditionalCheckFailed", "None"] and is_given and count == 1
        said = (
            f"{', '.join(codes)}; old item {'given' if is_given else 'missing'}; "
            f"{'nothing' if count == 1 else 'something'} written"
        )
        return compare(is_same, said)
    return differs("the transaction goes through")


def _reasons(error: ClientError) -> list[dict[str, Any]]:
    response: Any = error.response
    return list(response.get("CancellationReasons", []))


@topic.row(
    "request-token",
    aws="A transaction sent twice with one ClientRequestToken takes effect once; with the token "
    "of another it is refused: IdempotentParameterMismatchException.",
    documentation=_TRANSACT,
    within_s=20,
)
def request_token(bench: Bench) -> Observation:
    """Send a transaction twice with one token, then another with the same token."""
    table = bench.table()
    dynamodb = bench.clients.dynamodb
    token = str(uuid.uuid4())
    for _ in range(2):
        dynamodb.transact_write_items(TransactItems=[_add(table)], ClientRequestToken=token)
    effects = _total(bench, table)
    try:
        dynamodb.transact_write_items(
            TransactItems=[_add(table, amount=10)], ClientRequestToken=token
        )
        refusal = "another with its token is not refused"
    except ClientError as error:
        refusal = error.response["Error"]["Code"]
    is_same = effects == 1 and refusal == "IdempotentParameterMismatchException"
    said = f"{'once' if effects == 1 else 'twice'}; {refusal}"
    return compare(is_same, said)


@topic.row(
    "one-item-twice",
    aws="A transaction with two writes of one item is refused: a ValidationException, or a "
    "TransactionCanceledException with the reason ValidationError.",
    documentation=_TRANSACTIONS,
    within_s=20,
)
def one_item_twice(bench: Bench) -> Observation:
    """Write one item twice in a transaction."""
    table = bench.table()
    try:
        bench.clients.dynamodb.transact_write_items(
            TransactItems=[_put(table, "1"), _add(table, "1")]
        )
    except ClientError as error:
        reasons = {str(one.get("Code")) for one in _reasons(error)} - {"None"}
        said = ", ".join([error.response["Error"]["Code"], *sorted(reasons)])
        return compare(said in _VALIDATION_ERRORS, said)
    return differs("both writes go through")


@topic.row(
    "transaction-conflict",
    aws="Of transactions that overlap on an item some may be cancelled: TransactionConflict.",
    documentation=_TRANSACT,
    within_s=_CONFLICTS_WITHIN_S,
    patient_s=TRYING_S,
)
def transaction_conflict(bench: Bench) -> Observation:
    """Let writers add to one item in transactions until one is told of a conflict."""
    table = bench.table()
    with ThreadPoolExecutor(_WRITERS) as pool:
        written = list(pool.map(lambda _: _write_until_conflict(bench, table), range(_WRITERS)))
    committed = sum(count for count, _ in written)
    if _total(bench, table) != committed:
        return differs("an update is lost", f"{committed} transactions")
    if any(is_refused for _, is_refused in written):
        return same("TransactionConflict; no update is lost", f"{committed} transactions")
    raise NotSeenInTimeError("overlapping transactions all succeed; no update is lost")


def _write_until_conflict(bench: Bench, table: str) -> tuple[int, bool]:
    committed = 0
    while bench.left_s:
        try:
            bench.clients.dynamodb.transact_write_items(TransactItems=[_add(table)])
        except ClientError as error:
            if any(one.get("Code") == "TransactionConflict" for one in _reasons(error)):
                return committed, True
            raise
        committed += 1
    return committed, False
