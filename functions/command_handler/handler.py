"""The Command Handler: parse, load, decide, append, publish, respond."""

from dataclasses import dataclass
from typing import Any

from functions.adapters import runtime
from functions.adapters.aws_errors import AwsError
from functions.adapters.budget import Budget, Invocation
from functions.adapters.clock import Clock
from functions.adapters.command_store import CommandStore
from functions.adapters.event_bus import EventBus
from functions.adapters.http import ProblemError, from_proxy, received_at, to_proxy
from functions.adapters.telemetry import Telemetry
from functions.command_handler.answers import answer, unavailable
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
            about |= {"command_id": command.command_id, "account_id": command.command.account_id}
            outcome = execute(command, self._store, self._clock)
            if isinstance(outcome, Accepted):
                about["published"] = self._publish(outcome.event)
            response = answer(outcome, route=request.route)
            name = "accepted" if isinstance(outcome, Accepted) else "replayed"
            about |= response.body
        except ProblemError as problem:
            response, name = problem.response, problem.slug
            about["status"] = response.status
        except AwsError as error:
            response, name = unavailable(), "unavailable"
            about["error"] = type(error).__name__
            self._telemetry.logger.exception("AWS did not answer as needed")
        self._telemetry.count(**{_METRICS.get(name, "CommandsRefused"): 1})
        self._telemetry.log_invocation(context, name, **about)
        self._telemetry.flush_metrics()
        return to_proxy(response)

    def _publish(self, event: Event) -> bool:
        try:
            self._bus.publish(event, trace=self._telemetry.trace())
        except AwsError:
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
