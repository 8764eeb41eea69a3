"""Projection lag against the least lag there can be: a function that only stamps the time."""

from __future__ import annotations

import io
import statistics
import zipfile
from typing import TYPE_CHECKING, Any

from tidemark.api.httpx_transport import HttpxTransport
from tidemark.api.op import Outcome
from tidemark.aws.api_clients import client_of
from tidemark.host.waiting import NotYetError, eventually
from tidemark.workloads import bank
from tidemark.workloads.bank_tables import BankTables
from tools.bench.row import Row

if TYPE_CHECKING:
    from tidemark.aws.clients import AwsClients
    from tidemark.host.deployment import Deployment
    from tidemark.workloads.bank_items import Event

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
    projected: list[int] = []
    stamped: list[int] = []
    with HttpxTransport() as transport:
        client = client_of(deployment, clients, transport)
        account_id = f"{client.session.prefix}.account"
        ops = [client.run(bank.open_account(owner_id="bench-lag", account_id=account_id))]
        for _ in range(_EVENTS):
            ops.append(client.run(bank.deposit(account_id, 1)))
            client.poll(bank.account(account_id, min_version=ops[-1].version, wait_ms=5_000))
    if any(op.outcome is not Outcome.OK for op in ops):
        raise RuntimeError("a command of the lag measurement was not accepted")
    tables = BankTables.of(deployment, clients)
    for op in ops[_WARM_UP:]:
        event = _projected(tables, account_id, op.version or 0)
        projected.append(event.lag_ms or 0)
        stamped.append(_stamp(clients, op.event_id) - event.recorded_at_ms)
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


def _projected(tables: BankTables, account_id: str, version: int) -> Event:
    def probe() -> Event:
        event = tables.event(account_id, version)
        if event is None or event.lag_ms is None:
            raise NotYetError("not projected")
        return event

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
