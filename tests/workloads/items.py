"""Items as the command table has them."""

from __future__ import annotations

from typing import Any


def event_item(
    account_id: str = "alice",
    version: int = 2,
    *,
    event_id: str = "e",
    recorded_at_ms: int = 1000,
    projected_at_ms: int | None = None,
) -> dict[str, Any]:
    """An event of the log, with DynamoDB's types."""
    item: dict[str, Any] = {
        "pk": {"S": f"account#{account_id}"},
        "sk": {"S": f"event#{version:012d}"},
        "event_id": {"S": event_id},
        "type": {"S": "FundsDeposited"},
        "owner_id": {"S": "owner"},
        "command_id": {"S": "-#key"},
        "data": {"M": {"amount": {"N": "5"}}},
        "recorded_at": {"N": str(recorded_at_ms)},
    }
    if projected_at_ms is not None:
        item["projected_at"] = {"N": str(projected_at_ms)}
    return item
