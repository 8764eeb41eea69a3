"""Run one handler in this process, on the stack that is up: for a look inside, or a debugger.

The handler gets the environment of the deployed function, and the target's tables and topic. Its
log lines are printed as they come, and its answer last.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from functions.adapters.event_codec import Unreadable, to_message
from functions.adapters.event_log import EventLog
from functions.adapters.runtime import Runtime
from functions.domain.account import Event
from tidemark.aws.connection import for_children
from tidemark.cli import known
from tidemark.errors import TidemarkError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tidemark.aws.clients import AwsClients
    from tidemark.host.deployment import Deployment

HANDLERS = {
    "command_handler": "CommandHandlerName",
    "outbox_sweeper": "OutboxSweeperName",
    "query_handler": "QueryHandlerName",
    "update_processor": "UpdateProcessorName",
}


@dataclass(frozen=True)
class _Context:
    """An invocation that ends `timeout_s` after it began."""

    timeout_s: int
    aws_request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    begun_s: float = field(default_factory=time.monotonic)

    def get_remaining_time_in_millis(self) -> int:
        left_s = self.timeout_s - (time.monotonic() - self.begun_s)
        return max(0, int(left_s * 1000))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the handler that the command line names, with the event that it names."""
    parser = argparse.ArgumentParser(prog="python -m tools.run_handler", description=__doc__)
    parser.add_argument("handler", choices=HANDLERS)
    event = parser.add_mutually_exclusive_group(required=True)
    event.add_argument("event", nargs="?", type=Path, help="a JSON file with the event")
    event.add_argument(
        "--redeliver",
        nargs=2,
        metavar=("ACCOUNT_ID", "VERSION"),
        help="instead of a file: an event of the log, as the queue delivers it",
    )
    parser.add_argument("--target", help="the target, when deployments on several are recorded")
    parser.add_argument("--stack-name", help="the stack, when several are recorded")
    chosen = parser.parse_args(arguments)
    try:
        recorded, clients = known.reach(chosen.target, chosen.stack_name)
        context = _Context(_enter(recorded, clients, chosen.handler))
    except TidemarkError as refused:
        raise SystemExit(str(refused)) from None
    if chosen.redeliver:
        account_id, version = chosen.redeliver
        given = _delivery(recorded.outputs["CommandTableName"], account_id, int(version))
    else:
        given = json.loads(chosen.event.read_text(encoding="utf-8"))
    module = importlib.import_module(f"functions.{chosen.handler}.entry")
    print(json.dumps(module.handle(given, context), indent=2))  # noqa: T201  its answer


def _enter(recorded: Deployment, clients: AwsClients, handler: str) -> int:
    """Take on the environment of a deployed function; return its timeout in seconds."""
    function = clients.functions.get_function_configuration(
        FunctionName=recorded.outputs[HANDLERS[handler]]
    )
    clean = for_children(clients.connection) | function["Environment"]["Variables"]
    os.environ.clear()
    os.environ |= clean
    return function["Timeout"]


def _delivery(command_table_name: str, account_id: str, version: int) -> dict[str, Any]:
    """Return the SQS event that carries an event of the log, on its first receive."""
    log = EventLog(Runtime().dynamodb, command_table_name)
    match log.between(account_id, after=version - 1, before=version + 1, most=1):
        case [Unreadable(reason=reason)]:
            raise SystemExit(f"Event {version} of account {account_id} cannot be read: {reason}.")
        case [Event() as event]:
            record = {
                "messageId": str(uuid.uuid4()),
                "receiptHandle": "none",
                "body": to_message(event),
                "attributes": {"ApproximateReceiveCount": "1"},
            }
            return {"Records": [record]}
    raise SystemExit(f"The log has no event {version} of account {account_id}.")


if __name__ == "__main__":
    main()
