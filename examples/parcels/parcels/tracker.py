"""The projection: events become the tracking view, in any order and however often they come."""

from __future__ import annotations

import json
import os
import time
from functools import cache
from typing import Any

import boto3


@cache
def _tracking() -> Any:
    return boto3.resource("dynamodb").Table(os.environ["TRACKING_TABLE"])


def handle(event: dict[str, Any], _context: object) -> None:
    """Take a batch of the queue; one that fails comes again, and ends among the lost."""
    for record in event["Records"]:
        scan = json.loads(record["body"])
        # An event has one entry, by its version: the second time it changes nothing.
        enter(scan["version"], scan)
        print(record["body"])  # noqa: T201 -- the log of a function


def enter(entry: str, event: dict[str, str]) -> None:
    """Put an event into the tracking view."""
    _tracking().put_item(
        Item={
            "parcel": event["parcel"],
            "entry": entry,
            "version": event["version"],
            "type": event["type"],
            "place": event["place"],
            "tracked_at": int(time.time() * 1000),
        }
    )
