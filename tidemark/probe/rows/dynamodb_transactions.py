"""DynamoDB: conditions, transactions, and what a cancelled one says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from tidemark.probe.row import Topic, differs, same

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

    from tidemark.probe.bench import Bench
    from tidemark.probe.row import Observation

topic = Topic("DynamoDB")

_TRANSACT = (
    "https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html"
)


def _put(table: str, sort_key: str, **more: Any) -> TransactWriteItemTypeDef:
    item = {"pk": {"S": "a"}, "sk": {"S": sort_key}}
    return {"Put": {"TableName": table, "Item": item, **more}}


@topic.row(
    "cancellation-reasons",
    aws="A cancelled transaction names one reason per item, in order, with the item's old image "
    "when asked.",
    documentation=_TRANSACT,
    within_s=20,
)
def cancellation_reasons(bench: Bench) -> Observation:
    """Cancel a transaction by its second item."""
    table = bench.table()
    absent = {
        "ConditionExpression": "attribute_not_exists(pk)",
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    bench.clients.dynamodb.transact_write_items(TransactItems=[_put(table, "2")])
    try:
        bench.clients.dynamodb.transact_write_items(
            TransactItems=[_put(table, "1"), _put(table, "2", **absent), _put(table, "3")]
        )
    except ClientError as error:
        reasons: list[dict[str, Any]] = error.response.get("CancellationReasons", [])  # type: ignore[assignment] # not in the stubs
        codes = [one.get("Code") for one in reasons]
        old = reasons[1].get("Item", {}) if len(reasons) > 1 else {}
        said = f"{', '.join(map(str, codes))}; old image {'given' if old else 'missing'}"
        wanted = ["None", "ConditionalCheckFailed", "None"]
        return (same if codes == wanted and old.get("sk") == {"S": "2"} else differs)(said)
    return differs("the transaction went through")
