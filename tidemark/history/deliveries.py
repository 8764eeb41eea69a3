"""What the update processor says of each message it was given, from its log."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from tidemark.aws import logs

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from tidemark.aws.clients import AwsClients
    from tidemark.host.deployment import Deployment
    from tidemark.workloads.workload import Values

PROCESSOR = "update-processor"


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
    records: list[tuple[int, Mapping[str, Any]]] = []
    started: list[tuple[int, Mapping[str, Any]]] = []
    ended: set[str] = set()
    # Lambda tries an asynchronous invocation again under the same request id.
    tries: Counter[str] = Counter()
    for at_ms, line in lines:
        request = str(line.get("function_request_id"))
        tries[request] += line.get("message") == "started"
        said = {**line, "request_id": _attempt(request, tries[request])}
        match said.get("message"):
            case "record":
                records.append((at_ms, said))
            case "started":
                started.append((at_ms, said))
            case "invocation":
                ended.add(said["request_id"])
    ours = {
        str(record["message_id"])
        for _, record in records
        if record.get("account_id") in accounts or record["message_id"] in messages
    }
    for at_ms, record in records:
        if record["message_id"] in ours:
            yield from _outcome(at_ms, record)
    for at_ms, start in started:
        request = start["request_id"]
        for message in start["message_ids"]:
            if message in ours:
                yield (
                    "invocations",
                    {
                        "request_id": request,
                        "message_id": message,
                        "at_ms": at_ms,
                        "ended": request in ended,
                    },
                )


def _attempt(request: str, number: int) -> str:
    return request if number <= 1 else f"{request}~{number}"


def _outcome(at_ms: int, said: Mapping[str, Any]) -> Iterator[tuple[str, Values]]:
    about = {"request_id": said["request_id"], "message_id": said["message_id"]}
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
