"""Reads that wait for a version hold functions, and leave enough of them for commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.query_handler.handler import LONGEST_HOLD_MS

if TYPE_CHECKING:
    from tests.stack.conftest import Template

# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
DEFAULT_CONCURRENCY = 1_000


def test_however_many_readers_wait_a_quarter_of_the_functions_is_left(queued: Template) -> None:
    [stage] = queued.resources("AWS::ApiGateway::Stage").values()
    [every_route] = stage["MethodSettings"]
    rate_per_s, burst = every_route["ThrottlingRateLimit"], every_route["ThrottlingBurstLimit"]

    held_for_long = rate_per_s * LONGEST_HOLD_MS / 1_000
    held_at_first = burst + held_for_long

    assert held_for_long <= DEFAULT_CONCURRENCY / 4
    assert held_at_first <= DEFAULT_CONCURRENCY * 3 / 4
