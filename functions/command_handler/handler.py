"""The Command Handler: parse, load, decide, append, publish, respond."""

from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from functions.adapters import runtime
from functions.adapters.budget import Budget, Invocation
from functions.adapters.clock import Clock
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
from functions.adapters.telemetry import Telemetry
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


_SPARE_MS = 1_500
"""What is kept of the function's time: the SDK's pause before a last try, and the answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment(runtime.Environment):
    """What the stack tells the Command Handler."""

    command_table_name: str
    topic_arn: str


class CommandHandler:
    """Answers commands."""

    def __init__(
        self,
        *,
        store: CommandStore,
        bus: EventBus,
        clock: Clock,
        budget: Budget,
        telemetry: Telemetry,
    ) -> None:
        self._store = store
        self._bus = bus
        self._clock = clock
        self._budget = budget
        self._telemetry = telemetry

    def handle(self, event: dict[str, Any], context: Invocation) -> dict[str, Any]:
        """Answer one API Gateway proxy event."""
        self._budget.begin(context, spare_ms=_SPARE_MS)
        about: dict[str, Any] = {"received_at": received_at(event)}
        try:
            request = from_proxy(event)
            command = parse(request, new_id=self._clock.new_id)
            about |= {"command_id": command.key, "account_id": command.command.account_id}
            accepted = execute(command, self._store, self._clock)
            published = accepted.event is not None and self._publish(accepted.event)
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
            self._telemetry.logger.exception("AWS did not answer as needed")
        self._telemetry.count(**{_METRICS.get(outcome, "CommandsRefused"): 1})
        self._telemetry.log_invocation(context, outcome, **about)
        self._telemetry.flush_metrics()
        return to_proxy(response)

    def _publish(self, event: Event) -> bool:
        try:
            self._bus.publish(event, trace=self._telemetry.trace())
        except (BotoCoreError, ClientError):
            # The fact is stored and marked: the sweeper publishes what could not be published now.
            self._telemetry.count(PublishFailed=1)
            self._telemetry.logger.exception("publish failed", extra={"event_id": event.event_id})
            return False
        return True


def build(parts: runtime.Runtime) -> CommandHandler:
    """Return the handler as it is deployed."""
    environment = parts.environment(Environment)
    return CommandHandler(
        store=CommandStore(parts.dynamodb, environment.command_table_name),
        bus=EventBus(parts.sns, environment.topic_arn),
        clock=parts.clock,
        budget=parts.budget,
        telemetry=parts.telemetry(environment),
    )


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
