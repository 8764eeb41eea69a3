"""DynamoDB: expiry, and the order of a stream."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from tidemark.host.waiting import NotYetError
from tidemark.probe.observation import NotProbedError, compare, differs, same
from tidemark.probe.row import Topic

if TYPE_CHECKING:
    from tidemark.probe.bench import Bench
    from tidemark.probe.observation import Observation

topic = Topic("DynamoDB tables", makes=("tables",))

_GUIDE = "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide"
_DAY_S = 86_400
# Expiry is swept in the background: no bound of seconds says anything about it, and AWS may
# take days; a quarter of an hour is what a person may wait.
_TTL_WITHIN_S = 10
_PATIENT_S = 900
_RECORDS = 4
# A page may be empty although the shard is not.
_PAGES = 3


def _make_expired(bench: Bench) -> str:
    table = bench.table()
    dynamodb = bench.clients.dynamodb
    dynamodb.update_time_to_live(
        TableName=table,
        TimeToLiveSpecification={"Enabled": True, "AttributeName": "expires_at"},
    )
    dynamodb.put_item(
        TableName=table,
        Item={
            "pk": {"S": "a"},
            "sk": {"S": "1"},
            "expires_at": {"N": str(int(time.time()) - _DAY_S)},
        },
    )
    return table


@topic.row(
    "expired-item-is-read",
    aws="An expired item that is not deleted yet is still read: expiry has to be checked by the "
    "reader.",
    documentation=f"{_GUIDE}/ttl-expired-items.html",
    within_s=_TTL_WITHIN_S,
)
def expired_item_is_read(bench: Bench) -> Observation:
    """Read an item that has just been written, expired since yesterday."""
    table = _make_expired(bench)
    setting = bench.clients.dynamodb.describe_time_to_live(TableName=table)
    is_on = setting["TimeToLiveDescription"].get("TimeToLiveStatus") in {"ENABLED", "ENABLING"}
    count = bench.clients.dynamodb.scan(TableName=table, ConsistentRead=True)["Count"]
    said = f"expiry is {'on' if is_on else 'off'}, the item is {'read' if count else 'gone'}"
    return compare(is_on and count > 0, said)


@topic.row(
    "expired-item-is-deleted",
    aws="An expired item is deleted in the background, within a few days.",
    documentation=f"{_GUIDE}/TTL.html",
    within_s=_TTL_WITHIN_S,
    patient_s=_PATIENT_S,
)
def expired_item_is_deleted(bench: Bench) -> Observation:
    """Wait until an expired item is gone."""
    if bench.left_s <= _TTL_WITHIN_S:
        raise NotProbedError("it takes a minute at best, on AWS days; --patient waits for it")
    table = _make_expired(bench)
    started = time.monotonic()
    bench.until(
        lambda: bench.clients.dynamodb.scan(TableName=table, ConsistentRead=True)["Count"] == 0,
        what="the item to be deleted",
        else_seen="the item is there",
    )
    return same("deleted", f"after {time.monotonic() - started:.0f} s")


@topic.row(
    "stream-order",
    aws="A stream has each change of an item once, in the order of the changes; between the "
    "items of a transaction it promises no order.",
    documentation=f"{_GUIDE}/Streams.html",
    within_s=20,
)
def stream_order(bench: Bench) -> Observation:
    """Write three items in a transaction, change one of them, and read the stream."""
    table, stream_arn = _table_with_stream(bench)
    bench.eventually(lambda: _records_by_now(bench, stream_arn), what="the stream to be readable")
    _write(bench, table)
    records = _all_records(bench, stream_arn)
    of_changed = [value for key, value in records if key == "3"]
    if len(records) != _RECORDS or of_changed != ["1", "2"]:
        return differs(f"changes as {records}")
    is_as_written = [key for key, value in records if value == "1"] == ["2", "3", "1"]
    return same(
        "each once and in order; the items of the transaction "
        + ("in the order of the request" if is_as_written else "in another order than requested")
    )


@topic.row(
    "stream-begins-with-its-table",
    aws="A stream that is declared with its table has every change of it, from the first on.",
    documentation=f"{_GUIDE}/Streams.html",
    within_s=15,
)
def stream_begins_with_its_table(bench: Bench) -> Observation:
    """The same as soon as the table is active, before anybody looked at the stream."""
    table, stream_arn = _table_with_stream(bench)
    _write(bench, table)
    _all_records(bench, stream_arn)
    return same("every change, from the first on")


def _table_with_stream(bench: Bench) -> tuple[str, str]:
    """An active table, and its stream's ARN."""
    try:
        table = bench.table(
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
        )
    except ClientError as error:
        raise NotProbedError(
            "the target could not make a table with a stream; an emulator may have to download "
            "what streams need"
        ) from error
    return table, bench.clients.dynamodb.describe_table(TableName=table)["Table"]["LatestStreamArn"]


def _write(bench: Bench, table: str) -> None:
    """Put three items in a transaction, then change one of them: four changes."""
    dynamodb = bench.clients.dynamodb
    puts: Any = [
        {
            "Put": {
                "TableName": table,
                "Item": {"pk": {"S": "a"}, "sk": {"S": key}, "value": {"N": "1"}},
            }
        }
        for key in ("2", "3", "1")
    ]
    dynamodb.transact_write_items(TransactItems=puts)
    dynamodb.update_item(
        TableName=table,
        Key={"pk": {"S": "a"}, "sk": {"S": "3"}},
        UpdateExpression="SET #value = :value",
        ExpressionAttributeNames={"#value": "value"},
        ExpressionAttributeValues={":value": {"N": "2"}},
    )


def _all_records(bench: Bench, stream_arn: str) -> list[tuple[str, str]]:
    """What the stream holds, once that is all that was written."""

    def probe() -> list[tuple[str, str]]:
        records = _records_by_now(bench, stream_arn)
        if len(records) < _RECORDS:
            raise NotYetError("fewer changes than were made")
        return records

    return bench.eventually(probe, what="the stream")


def _records_by_now(bench: Bench, stream_arn: str) -> list[tuple[str, str]]:
    try:
        return _records(bench, stream_arn)
    except ClientError as error:
        raise NotYetError(error.response["Error"]["Code"]) from error


def _records(bench: Bench, stream_arn: str) -> list[tuple[str, str]]:
    streams = bench.clients.client("dynamodbstreams")
    found: list[tuple[str, str]] = []
    for shard in streams.describe_stream(StreamArn=stream_arn)["StreamDescription"]["Shards"]:
        iterator = streams.get_shard_iterator(
            StreamArn=stream_arn,
            ShardId=shard["ShardId"],
            ShardIteratorType="TRIM_HORIZON",
        )["ShardIterator"]
        for _ in range(_PAGES):
            page = streams.get_records(ShardIterator=iterator)
            for record in page["Records"]:
                image = record["dynamodb"]["NewImage"]
                found.append((image["sk"]["S"], image["value"]["N"]))
            iterator = page.get("NextShardIterator")
            if iterator is None:
                break
    return found
