"""The sweeper, invoked by a test; and time, passed for one event."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from integration.site import Site


def sweep(site: Site) -> dict[str, int]:
    """Invoke the sweeper as the schedule does, and return what it did."""
    answer = site.aws.functions.invoke(FunctionName=site.deployment.outputs["OutboxSweeperName"])
    said = answer["Payload"].read()
    assert "FunctionError" not in answer, said
    report: dict[str, int] = json.loads(said)
    return report


def make_due(site: Site, account_id: str, version: int) -> None:
    """Let the time pass, for one event, until the sweeper may take it."""
    site.aws.dynamodb.update_item(
        TableName=site.tables.command_table,
        Key={"pk": {"S": f"account#{account_id}"}, "sk": {"S": f"event#{version:012d}"}},
        UpdateExpression="SET #due = #recorded_at",
        ConditionExpression="attribute_exists(#due)",
        ExpressionAttributeNames={"#due": "due", "#recorded_at": "recorded_at"},
    )
