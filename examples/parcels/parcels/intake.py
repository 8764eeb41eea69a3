"""The write side: a command becomes an event in the log, and the topic tells of it."""

from __future__ import annotations

import json
import os
import time
from functools import cache
from typing import Any

import boto3
from boto3.dynamodb.conditions import Key
from botocore.exceptions import ClientError
from parcel import NotStartedError, Parcel, decide, evolve


@cache
def _log() -> Any:
    return boto3.resource("dynamodb").Table(os.environ["LOG_TABLE"])


@cache
def _sns() -> Any:
    return boto3.client("sns")


def handle(command: dict[str, str], _context: object) -> dict[str, Any]:
    """Take `{"command", "parcel", "place", "key"}`; answer a version or a refusal.

    The key is the caller's own name for the command; the log keeps it with the event.
    """
    name = command["parcel"]
    try:
        parcel = _load(name)
        event = decide(parcel, command["command"], command.get("place", ""))
        version = parcel.version + 1
        item = {
            "parcel": name,
            "version": f"{version:06d}",
            "type": event.type,
            "place": event.place,
            "key": command["key"],
            "recorded_at": int(time.time() * 1000),
        }
        _append(item)
    except NotStartedError as refusal:
        return {"refused": str(refusal)}
    _sns().publish(TopicArn=os.environ["TOPIC_ARN"], Message=json.dumps(item))
    print(json.dumps(item))  # noqa: T201 -- the log of a function
    return {"version": version}


def _load(name: str) -> Parcel:
    parcel = Parcel()
    found = _log().query(KeyConditionExpression=Key("parcel").eq(name), ConsistentRead=True)
    for item in found["Items"]:
        parcel = evolve(parcel, item["type"])
    return parcel


def _append(item: dict[str, Any]) -> None:
    try:
        _log().put_item(Item=item, ConditionExpression="attribute_not_exists(parcel)")
    except ClientError as error:
        if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
            raise NotStartedError("somebody else was first: try again") from error
        raise
