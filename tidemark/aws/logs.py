"""The functions' logs, from wherever the target keeps them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tidemark.aws.clients import AwsClients
    from tidemark.host.deployment import Deployment

# What a user calls a function, and the output with its physical name.
FUNCTIONS = {
    "command-handler": "CommandHandlerName",
    "update-processor": "UpdateProcessorName",
    "query-handler": "QueryHandlerName",
    "outbox-sweeper": "OutboxSweeperName",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One logged line; lines of one millisecond are in the order in which they arrived.

    Attributes:
        at_ms: When it was logged, UTC milliseconds.
        event_id: CloudWatch's id for it.
        function: The function's short name.
        text: What it says, without the line end.
    """

    at_ms: int
    event_id: str
    function: str
    text: str

    @property
    def members(self) -> dict[str, Any] | None:
        """What it says, if it is a JSON object."""
        try:
            said = json.loads(self.text)
        except (ValueError, RecursionError):
            return None
        return said if isinstance(said, dict) else None


def document_in(text: str) -> dict[str, Any] | None:
    """The JSON object in a line, whatever a target puts before it; ``None`` if it is cut off."""
    try:
        document, _ = json.JSONDecoder().raw_decode(text, text.index("{"))
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def groups_of(clients: AwsClients, function_name: str) -> list[str]:
    """The log groups that a function's lines may be in.

    An emulator may accept a group of the template's and write to the default one all the same.
    """
    default = f"/aws/lambda/{function_name}"
    configuration = clients.functions.get_function_configuration(FunctionName=function_name)
    configured = configuration.get("LoggingConfig", {}).get("LogGroup", default)
    return list(dict.fromkeys([configured, default]))


def read(
    clients: AwsClients,
    deployment: Deployment,
    functions: Iterable[str],
    *,
    since_ms: int,
    containing: str | None = None,
) -> Iterator[Line]:
    """Read what functions logged, one function after the other, each in order.

    Args:
        clients: The target's.
        deployment: The stack.
        functions: Short names, as in `FUNCTIONS`.
        since_ms: Where to begin, UTC milliseconds.
        containing: Leave out lines without this word; a target may leave in some.
    """
    pattern = "" if containing is None else f'"{containing}"'
    for function in functions:
        for group in groups_of(clients, deployment.outputs[FUNCTIONS[function]]):
            try:
                pages = clients.logs.get_paginator("filter_log_events").paginate(
                    logGroupName=group, startTime=since_ms, filterPattern=pattern
                )
                for page in pages:
                    for event in page["events"]:
                        yield Line(
                            event["timestamp"],
                            event.get("eventId", ""),
                            function,
                            event["message"].rstrip("\n"),
                        )
            except clients.logs.exceptions.ResourceNotFoundException:
                continue  # no such group here, or the function was never invoked
