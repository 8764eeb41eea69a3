"""Runs in place of a function's handler, and logs every AWS call that the handler makes.

Part of the code asset of `integration.recording_app`; it knows only what the Lambda runtime has.
"""

import importlib
import json
import os
from collections.abc import Callable
from functools import cache
from typing import Any

from botocore.history import BaseHistoryHandler, get_global_history_recorder

WRAPPED_HANDLER = "WRAPPED_HANDLER"
"""The environment variable that names the function's own handler."""


class CallLog(BaseHistoryHandler):
    """Prints one JSON line per AWS call, before the call is made."""

    def emit(self, event_type: str, payload: Any, source: str) -> None:
        """Print a call; botocore's history tells of requests and answers, too."""
        del source
        if event_type == "API_CALL":
            line = {
                "recorded_call": payload["operation"],
                "service": payload["service"],
                "parameters": payload["params"],
            }
            print(json.dumps(line, default=str), flush=True)  # noqa: T201 -- a function's log


@cache
def _handler() -> Callable[[Any, Any], Any]:
    recorder = get_global_history_recorder()
    recorder.add_handler(CallLog())
    recorder.enable()
    module, _, name = os.environ[WRAPPED_HANDLER].rpartition(".")
    handler: Callable[[Any, Any], Any] = getattr(importlib.import_module(module), name)
    return handler


def handle(event: Any, context: Any) -> Any:
    """Call the function's own handler."""
    return _handler()(event, context)
