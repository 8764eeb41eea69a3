"""What `tidemark trace` reads from the functions' lines, besides what other tests look at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from functions.adapters.clock import Clock
from functions.adapters.outbox import THRESHOLD_MS
from functions.command_handler.handler import build
from functions.update_processor.handler import build as build_processor
from tests.functions.calling import LambdaContext, StoppedClock, parts, proxy_event
from tests.functions.projecting import queue_record, recorded
from tests.functions.sweeping import Bus, swept

if TYPE_CHECKING:
    from collections.abc import Callable

RECEIVED_AT = SENT_AT = 1_795_000_000_000


def test_a_refused_command_is_named_in_its_line(
    unique: str, printed: Callable[[], list[dict[str, Any]]]
) -> None:
    event = proxy_event(
        "POST",
        "/accounts/{account_id}/deposits",
        path={"account_id": unique},
        headers={"Idempotency-Key": f"key {unique}"},
        body={"amount": 1},
    )
    event["requestContext"] = {"requestTimeEpoch": RECEIVED_AT}

    assert build(parts()).handle(event, LambdaContext())["statusCode"] == 404

    [line] = [line for line in printed() if line.get("message") == "invocation"]
    assert (line["outcome"], line["status"]) == ("no-such-account", 404)
    assert (line["command_id"], line["account_id"]) == (f"-#key {unique}", unique)
    assert line["received_at"] == RECEIVED_AT


def test_each_copy_that_the_sweeper_publishes_leaves_a_line(
    unique: str, printed: Callable[[], list[dict[str, Any]]]
) -> None:
    [event] = recorded(unique)

    swept(Bus(), StoppedClock(Clock().now_ms() + THRESHOLD_MS + 1_000))

    [line] = [line for line in printed() if line.get("event_id") == event.event_id]
    assert (line["message"], line["attempts"]) == ("republished", 1)
    assert (line["account_id"], line["version"]) == (event.account_id, 1)
    assert line["command_id"] == event.command_id


def test_a_processed_record_says_when_the_queue_had_the_message(
    printed: Callable[[], list[dict[str, Any]]],
) -> None:
    record = queue_record("poison")
    record["attributes"]["SentTimestamp"] = str(SENT_AT)

    build_processor(parts()).handle({"Records": [record]}, LambdaContext())

    [line] = [line for line in printed() if line.get("message_id") == record["messageId"]]
    assert (line["sent_at"], line["outcome"]) == (SENT_AT, "failed")
