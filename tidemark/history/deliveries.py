"""What the update processor says of each message it was given, from its log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tidemark.aws import logs
from tidemark.host.sorting import SortedRows

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from tidemark.aws.clients import AwsClients
    from tidemark.host.deployment import Deployment
    from tidemark.workloads.workload import Values

PROCESSOR = "update-processor"

_SAID = frozenset({"started", "record", "invocation"})


def delivered(
    clients: AwsClients,
    deployment: Deployment,
    *,
    since_ms: int,
    accounts: Collection[str],
    messages: Collection[str] = (),
) -> Iterator[tuple[str, Values]]:
    """The deliveries of a run, from the log of its stack's processor.

    Args:
        clients: The target's.
        deployment: The stack.
        since_ms: When the run began, UTC milliseconds.
        accounts: Its accounts.
        messages: Messages that are its own although they carry none of its accounts.
    """
    lines = logs.read(clients, deployment, [PROCESSOR], since_ms=since_ms)
    said = ((line.at_ms, logs.document_in(line.text) or {}) for line in lines)
    return told(said, accounts=accounts, messages=messages)


def told(
    lines: Iterable[tuple[int, Mapping[str, Any]]],
    *,
    accounts: Collection[str],
    messages: Collection[str] = (),
) -> Iterator[tuple[str, Values]]:
    """The deliveries of a run: rows, each with its table.

    Args:
        lines: What the processor logged, and when (UTC milliseconds).
        accounts: The run's accounts.
        messages: Messages that are its own although they carry none of its accounts.
    """
    with SortedRows() as by_request, SortedRows() as by_message:
        for place, (at_ms, line) in enumerate(lines):
            if line.get("message") in _SAID:
                request = str(line.get("function_request_id"))
                by_request.add(request, place, (place, at_ms, line))
        for request, logged in by_request.groups():
            for message, place, row in _of_request(request, logged):
                by_message.add(message, place, row)
        for message, found in by_message.groups():
            rows = list(found)
            if any(
                table == "deliveries" and (message in messages or values["aggregate"] in accounts)
                for table, values in rows
            ):
                yield from rows


def _of_request(
    request: str, logged: Iterable[tuple[int, int, Mapping[str, Any]]]
) -> Iterator[tuple[str, int, tuple[str, Values]]]:
    """What a request says of messages: each with the place where it is said, and the row it is."""
    attempts: list[list[tuple[int, int, Mapping[str, Any]]]] = []
    starts = 0
    for one in logged:
        # Lambda tries an asynchronous invocation again under the same request id.
        starts += one[-1]["message"] == "started"
        if starts > len(attempts) or not attempts:
            attempts.append([])
        attempts[-1].append(one)
    for number, attempt in enumerate(attempts, 1):
        ended = any(said["message"] == "invocation" for *_, said in attempt)
        about = {"request_id": request if number == 1 else f"{request}~{number}"}
        for place, at_ms, said in attempt:
            for message in said.get("message_ids", ()):
                told_of = about | {"message_id": message, "at_ms": at_ms, "ended": ended}
                yield message, place, ("invocations", told_of)
            if said["message"] == "record":
                for row in _outcome(at_ms, said, about):
                    yield str(said["message_id"]), place, row


def _outcome(at_ms: int, said: Mapping[str, Any], request: Values) -> Iterator[tuple[str, Values]]:
    about = request | {"message_id": said["message_id"]}
    yield (
        "deliveries",
        about
        | {
            "receive_count": said.get("receive_count"),
            "event_id": said.get("event_id"),
            "aggregate": said.get("account_id"),
            "version": said.get("version"),
            "outcome": said["outcome"],
            "attempts": said["attempts"],
            "ambiguous": bool(said["ambiguous"]),
            "at_ms": at_ms,
        },
    )
    for version in said["healed"]:
        yield "healed", about | {"aggregate": said.get("account_id"), "version": version}
