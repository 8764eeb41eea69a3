"""The sweeper, invoked ahead of its schedule; and time, passed for one event."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tidemark.errors import TidemarkError
from tidemark.workloads.bank_items import event_key

if TYPE_CHECKING:
    from tidemark.aws.clients import AwsClients
    from tidemark.host.deployment import Deployment


def sweep(aws: AwsClients, deployment: Deployment) -> dict[str, int]:
    """Invoke the sweeper as the schedule does, and return what it did.

    Raises:
        TidemarkError: It failed; the sentence has what it said.
    """
    answer = aws.functions.invoke(FunctionName=deployment.outputs["OutboxSweeperName"])
    said = answer["Payload"].read()
    if "FunctionError" in answer:
        raise TidemarkError(f"The sweeper failed: {said.decode(errors='replace')}")
    report: dict[str, int] = json.loads(said)
    return report


def make_due(aws: AwsClients, deployment: Deployment, account_id: str, version: int) -> None:
    """Let the time pass, for one event, until the sweeper may take it."""
    aws.dynamodb.update_item(
        TableName=deployment.outputs["CommandTableName"],
        Key=event_key(account_id, version),
        UpdateExpression="SET #due = #recorded_at",
        ConditionExpression="attribute_exists(#due)",
        ExpressionAttributeNames={"#due": "due", "#recorded_at": "recorded_at"},
    )
