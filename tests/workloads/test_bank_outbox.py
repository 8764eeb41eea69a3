from __future__ import annotations

import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from tidemark.host.deployment import Deployment
from tidemark.workloads.bank_outbox import Outbox, outbox_of

if TYPE_CHECKING:
    from tidemark.aws.clients import AwsClients

DEPLOYMENT = Deployment(
    target="embedded",
    endpoint="http://127.0.0.1:4000",
    region="us-east-1",
    stack_name="Tidemark",
    api_url="http://127.0.0.1:4000/_aws/execute-api/a/v1",
    template_digest="0" * 64,
    outputs={"CommandTableName": "commands", "Wiring": "queued"},
)


class CommandTable:
    """A table whose outbox index lags behind its items, and that answers 40 keys at a time."""

    def __init__(self, listed: dict[str, dict[str, Any]], twice: str | None) -> None:
        self._items = listed
        self._twice = [] if twice is None else [twice]

    def get_paginator(self, operation: str) -> CommandTable:
        assert operation == "scan"
        return self

    def paginate(self, *, TableName: str, IndexName: str) -> list[dict[str, Any]]:  # noqa: N803 -- boto3's names
        assert (TableName, IndexName) == ("commands", "outbox")
        keys = [{"pk": {"S": pk}, "sk": {"S": "event"}} for pk in [*self._items, *self._twice]]
        return [{"Items": keys[:70]}, {"Items": keys[70:]}]

    def batch_get_item(self, *, RequestItems: dict[str, Any]) -> dict[str, Any]:  # noqa: N803 -- boto3's names
        asked = RequestItems["commands"]
        assert asked["ConsistentRead"] is True
        assert len(asked["Keys"]) <= 100
        assert len({key["pk"]["S"] for key in asked["Keys"]}) == len(asked["Keys"]), (
            "DynamoDB refuses"
        )
        now, later = asked["Keys"][:40], asked["Keys"][40:]
        found = [self._items[key["pk"]["S"]] for key in now]
        left = {"commands": {**asked, "Keys": later}} if later else {}
        return {"Responses": {"commands": [one for one in found if one]}, "UnprocessedKeys": left}


def outbox(listed: dict[str, dict[str, Any]], *, twice: str | None = None) -> Outbox:
    table = CommandTable(listed, twice)
    return outbox_of(DEPLOYMENT, cast("AwsClients", SimpleNamespace(dynamodb=table)))


def waiting(age_s: float, attempts: int = 0) -> dict[str, Any]:
    recorded_at_ms = int((time.time() - age_s) * 1000)
    return {
        "outbox": {"N": "3"},
        "recorded_at": {"N": str(recorded_at_ms)},
        "attempts": {"N": str(attempts)},
    }


def test_an_empty_outbox_has_no_age() -> None:
    assert outbox({}) == Outbox(size=0, oldest_age_s=0.0, stuck=0)


def test_every_waiting_event_counts_once_however_many_there_are() -> None:
    seen = outbox({f"account#{one}": waiting(1 + one) for one in range(230)})

    assert seen.size == 230
    assert 230 <= seen.oldest_age_s < 330
    assert seen.stuck == 0


def test_an_event_that_was_projected_since_the_index_was_read_does_not_count() -> None:
    projected = {"recorded_at": {"N": "1"}, "projected_at": {"N": "2"}}

    seen = outbox({"account#a": projected, "account#b": {}, "account#c": waiting(5)})

    assert seen.size == 1
    assert seen.oldest_age_s < 100


def test_an_event_that_was_put_off_while_the_index_was_read_counts_once() -> None:
    listed = {"account#a": waiting(5), "account#b": waiting(5)}

    assert outbox(listed, twice="account#a").size == 2


def test_an_event_that_ten_copies_did_not_help_is_stuck_and_still_counts() -> None:
    seen = outbox({"account#a": waiting(5, attempts=10), "account#b": waiting(5, attempts=9)})

    assert (seen.size, seen.stuck) == (2, 1)
