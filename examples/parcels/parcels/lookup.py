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
    """Take `{"parcel": ...}`; answer its version, its state and its places, the oldest first."""
    found = _tracking().query(KeyConditionExpression=Key("parcel").eq(query["parcel"]))
    print(f"{query['parcel']}: {found['Count']} entries")  # noqa: T201 -- the log of a function
    version, state, places = 0, "Unknown", []
    for entry in found["Items"]:
        if int(entry["version"]) > version + 1:
            break  # the queue may yet bring what is missing
        version, state = int(entry["version"]), entry["type"]
        places.append(entry["place"])
    return {"version": version, "state": state, "places": places}
