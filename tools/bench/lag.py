"""Projection lag against the least lag there can be: a function that only stamps the time."""

from __future__ import annotations

import io
import statistics
import uuid
import zipfile
from typing import TYPE_CHECKING, Any

from tidemark.api.client import Client
from tidemark.api.httpx_transport import HttpxTransport
from tidemark.api.op import Outcome
from tidemark.host.waiting import NotYetError, eventually
from tidemark.workloads.bank import Bank, log_partition
from tools.bench.row import Row

if TYPE_CHECKING:
    from tidemark.aws.clients import AwsClients
    from tidemark.host.deployment import Deployment

_EVENTS = 200
_WARM_UP = 20
_STAMPS = "bench-stamps"
_CODE = """
import json, time, boto3
table = boto3.client("dynamodb")
def handle(event, context):
    now_ms = time.time_ns() // 1_000_000
    print("stamped", len(event["Records"]))
    for record in event["Records"]:
        event_id = json.loads(record["body"])["event_id"]
        table.put_item(TableName="bench-stamps",
                       Item={"pk": {"S": event_id}, "stamped_at": {"N": str(now_ms)}})
"""


def measure(deployment: Deployment, clients: AwsClients) -> list[Row]:
    """Measure both lags on the same events, one event at a time."""
    _deploy_stamp(deployment, clients)
    account_id = f"bench-{uuid.uuid4().hex[:12]}"
    projected: list[int] = []
    stamped: list[int] = []
    with HttpxTransport() as transport:
        bank = Bank(
            Client(
                api_url=deployment.api_url,
                region=deployment.region,
                credentials=clients.credentials,
                transport=transport,
            )
        )
        ops = [bank.open_account(owner_id="bench-lag", account_id=account_id)]
        for _ in range(_EVENTS):
            ops.append(bank.deposit(account_id, 1))
            bank.account(account_id, min_version=ops[-1].version, wait_ms=5_000)
    if any(op.outcome is not Outcome.OK for op in ops):
        raise RuntimeError("a command of the lag measurement was not accepted")
    for op in ops[_WARM_UP:]:
        recorded_ms, projected_ms = _times(deployment, clients, account_id, op.version)
        projected.append(projected_ms - recorded_ms)
        stamped.append(_stamp(clients, op.event_id) - recorded_ms)
    of_projection, of_stamp = statistics.median(projected), statistics.median(stamped)
    return [
        Row(
            "projection lag p50 / lag of a bare stamp p50",
            of_projection / of_stamp,
            "x",
            1.2,
            f"{of_projection:.0f} ms / {of_stamp:.0f} ms, {len(projected)} events",
        )
    ]


def _times(
    deployment: Deployment, clients: AwsClients, account_id: str, version: int | None
) -> tuple[int, int]:
    def probe() -> tuple[int, int]:
        event = clients.dynamodb.get_item(
            TableName=deployment.outputs["CommandTableName"],
            Key={"pk": {"S": log_partition(account_id)}, "sk": {"S": f"event#{version:012d}"}},
            ConsistentRead=True,
        )["Item"]
        if "projected_at" not in event:
            raise NotYetError("not projected")
        return int(event["recorded_at"]["N"]), int(event["projected_at"]["N"])

    return eventually(probe, within_s=30, what=f"version {version} to be projected")


def _stamp(clients: AwsClients, event_id: str | None) -> int:
    def probe() -> int:
        item = clients.dynamodb.get_item(
            TableName=_STAMPS, Key={"pk": {"S": str(event_id)}}, ConsistentRead=True
        ).get("Item")
        if item is None:
            raise NotYetError("no stamp")
        return int(item["stamped_at"]["N"])

    return eventually(probe, within_s=30, what=f"the stamp of event {event_id}")


def _deploy_stamp(deployment: Deployment, clients: AwsClients) -> None:
    clients.dynamodb.create_table(
        TableName=_STAMPS,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    queue_url = clients.sqs.create_queue(QueueName="bench-stamps")["QueueUrl"]
    queue_arn = clients.sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])[
        "Attributes"
    ]["QueueArn"]
    clients.sns.subscribe(
        TopicArn=deployment.outputs["TopicArn"],
        Protocol="sqs",
        Endpoint=queue_arn,
        Attributes={"RawMessageDelivery": "true"},
    )
    processor: Any = clients.functions.get_function_configuration(
        FunctionName=deployment.outputs["UpdateProcessorName"]
    )
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("stamp.py", _CODE)
    clients.functions.create_function(
        FunctionName="bench-stamp",
        Runtime="python3.13",
        Role=processor["Role"],
        Handler="stamp.handle",
        Code={"ZipFile": code.getvalue()},
        Timeout=processor["Timeout"],
        MemorySize=processor["MemorySize"],
    )
    clients.functions.create_event_source_mapping(
        EventSourceArn=queue_arn, FunctionName="bench-stamp", BatchSize=10
    )
