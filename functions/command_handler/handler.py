"""The Command Handler: parse, load, decide, append, publish, respond."""

from functools import cache
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from functions.adapters import runtime, telemetry
from functions.adapters.command_store import CommandStore
from functions.adapters.event_bus import EventBus
from functions.adapters.http import (
    ProblemError,
    Request,
    Response,
    from_proxy,
    received_at,
    to_proxy,
)
from functions.adapters.transactions import ContendedError
from functions.command_handler.execution import Accepted, execute
from functions.command_handler.requests import parse
from functions.domain.account import Event

_METRICS = {
    "accepted": "CommandsAccepted",
    "replayed": "CommandsReplayed",
    "busy": "CommandsBusy",
    "unavailable": "CommandsUnavailable",
}
"""How outcomes are counted; every other one is a refusal."""


@cache
def _store() -> CommandStore:
    return CommandStore(runtime.dynamodb(), runtime.command_table_name())


@cache
def _bus() -> EventBus:
    return EventBus(runtime.sns(), runtime.topic_arn())


def handle(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer one API Gateway proxy event."""
    about: dict[str, Any] = {"received_at": received_at(event)}
    try:
        request = from_proxy(event)
        command = parse(request)
        about |= {"command_id": command.key, "account_id": command.command.account_id}
        accepted = execute(command, _store())
        published = accepted.event is not None and _publish(accepted.event)
        response = _respond(request, accepted)
        outcome = "replayed" if accepted.event is None else "accepted"
        about |= {
            "account_id": accepted.record.account_id,
            "event_id": accepted.record.event_id,
            "version": accepted.record.version,
            "published": published,
        }
    except ProblemError as problem:
        response, outcome = problem.response, problem.slug
        about["status"] = response.status
    except (ContendedError, BotoCoreError, ClientError) as error:
        response, outcome = _unavailable().response, "unavailable"
        about["error"] = type(error).__name__
        telemetry.logger().exception("AWS did not answer as needed")
    telemetry.count(**{_METRICS.get(outcome, "CommandsRefused"): 1})
    telemetry.log_invocation(context, outcome, **about)
    telemetry.flush_metrics()
    return to_proxy(response)


def _publish(event: Event) -> bool:
    try:
        _bus().publish(event, trace=runtime.trace())
    except (BotoCoreError, ClientError):
        # The fact is stored and marked: the sweeper publishes what could not be published now.
        telemetry.count(PublishFailed=1)
        telemetry.logger().exception("publish failed", extra={"event_id": event.event_id})
        return False
    return True


def _respond(request: Request, accepted: Accepted) -> Response:
    record = accepted.record
    # Relative to the URL that was asked, so that it is right behind any host, stage or prefix.
    to_root = "." if request.route == "POST /accounts" else "../.."
    headers = {
        "Location": f"{to_root}/accounts/{record.account_id}",
        "ETag": f'"{record.version}"',
    }
    if accepted.event is None:
        headers["Idempotency-Replayed"] = "true"
    return Response(
        202,
        {"account_id": record.account_id, "version": record.version, "event_id": record.event_id},
        headers,
    )


def _unavailable() -> ProblemError:
    return ProblemError(
        503,
        "unavailable",
        "the outcome is unknown; send the same command again with the same Idempotency-Key",
        headers={"Retry-After": "1"},
    )
