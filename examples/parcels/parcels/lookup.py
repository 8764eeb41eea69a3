"""The read side: where a parcel was, as far as the tracking view has heard."""

from __future__ import annotations

import os
from functools import cache
from typing import Any

import boto3
from boto3.dynamodb.conditions import Key


@cache
def _tracking() -> Any:
    return boto3.resource("dynamodb").Table(os.environ["TRACKING_TABLE"])


def handle(query: dict[str, str], _context: object) -> dict[str, Any]:
    """Take `{"parcel": ...}`; answer its state and its places, the oldest first."""
    found = _tracking().query(KeyConditionExpression=Key("parcel").eq(query["parcel"]))
    entries = found["Items"]
    print(f"{query['parcel']}: {len(entries)} entries")  # noqa: T201 -- the log of a function
    return {
        "state": entries[-1]["type"] if entries else "Unknown",
        "places": [entry["place"] for entry in entries],
    }
