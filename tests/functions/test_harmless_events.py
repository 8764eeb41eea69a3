"""What the harness asks a function to see whether it can work at all changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from functions.command_handler import handler as command_handler
from functions.query_handler import handler as query_handler
from functions.update_processor import handler as update_processor
from tests.functions.calling import LambdaContext, parts
from tidemark.deploy.complaints import HARMLESS

if TYPE_CHECKING:
    from tests.functions.calling import Calls

HANDLERS: dict[str, Any] = {
    "command-handler": command_handler,
    "query-handler": query_handler,
    "update-processor": update_processor,
}
ANSWERS: dict[str, dict[str, Any]] = {
    "command-handler": {"statusCode": 404},
    "query-handler": {"statusCode": 404},
    "update-processor": {"batchItemFailures": []},
}


@pytest.mark.parametrize("function", HARMLESS)
def test_a_function_that_works_answers_and_writes_nothing(function: str, calls: Calls) -> None:
    handler = HANDLERS[function].build(parts())
    calls.reset()

    answer = handler.handle(dict(HARMLESS[function]), LambdaContext())

    assert answer.items() >= ANSWERS[function].items()
    assert set(calls.made) <= {"GetItem"}
