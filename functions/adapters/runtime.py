"""The one place that reads the environment and makes AWS clients.

Clients know no endpoint; boto3 reads `AWS_ENDPOINT_URL` where an emulator sets it.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import boto3
from botocore.config import Config

from functions.adapters.budget import Budget
from functions.adapters.clock import Clock
from functions.adapters.telemetry import Telemetry

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient


@dataclass(frozen=True, slots=True)
class _Limits:
    """How often the SDK sends a request at most, and how long it waits for each answer."""

    tries: int
    longest_ms: int


_LIMITS = {
    # Two tries end before a function of ten seconds does.
    "dynamodb": _Limits(tries=2, longest_ms=4_000),
    # What is not published now is the sweeper's, so nobody waits long for it.
    "sns": _Limits(tries=1, longest_ms=1_000),
    # Only shortens a wait that ends by itself.
    "sqs": _Limits(tries=1, longest_ms=1_000),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """What the stack tells every function; each adds what it alone is told.

    Fields are called like their variables.
    """

    stack_name: str
    powertools_service_name: str
    powertools_metrics_namespace: str


Told = TypeVar("Told", bound=Environment)


class Runtime:
    """What a function stands on: environment, clock, time left, AWS clients.

    Clients are made when they are first asked for and kept.

    Args:
        variables: the environment variables.
        clock: time, ids and chance.
        connect: makes the client of a service, with another number of tries where one is named;
            boto3 unless told otherwise.
    """

    def __init__(
        self,
        variables: Mapping[str, str] = os.environ,
        *,
        clock: Clock | None = None,
        connect: Callable[..., Any] | None = None,
    ) -> None:
        self._variables = variables
        self._connect = connect or self._with_boto3
        self.clock = clock or Clock()
        self.budget = Budget(self.clock)

    def environment(self, kind: type[Told]) -> Told:
        """Read the environment of a function.

        Raises:
            TypeError: a variable is missing; it names the field.
        """
        told: dict[str, Any] = {}
        for field in fields(kind):
            text = self._variables.get(field.name.upper())
            if text is not None:
                told[field.name] = int(text) if field.type == int | None else text
        return kind(**told)

    def telemetry(self, environment: Environment) -> Telemetry:
        """Return what writes the function's log lines and metrics."""
        return Telemetry(
            service=environment.powertools_service_name,
            namespace=environment.powertools_metrics_namespace,
            stack_name=environment.stack_name,
            trace=self._trace,
        )

    def _trace(self) -> str | None:
        # The X-Ray header of the current invocation, if tracing is on: Lambda sets it each time.
        return self._variables.get("_X_AMZN_TRACE_ID")

    @cached_property
    def dynamodb(self) -> "DynamoDBClient":
        """The client of the tables."""
        return self._connect("dynamodb")  # type: ignore[no-any-return]

    @cached_property
    def dynamodb_once(self) -> "DynamoDBClient":
        """The client of the tables for who tries again by itself: a call is one request."""
        return self._connect("dynamodb", tries=1)  # type: ignore[no-any-return]

    @cached_property
    def sns(self) -> "SNSClient":
        """The client of the topic."""
        return self._connect("sns")  # type: ignore[no-any-return]

    @cached_property
    def sqs(self) -> "SQSClient":
        """The client of the queue between topic and processor."""
        return self._connect("sqs")  # type: ignore[no-any-return]

    def _with_boto3(self, service: str, *, tries: int | None = None) -> Any:
        limits = _LIMITS[service]
        config = Config(
            retries={"mode": "standard", "total_max_attempts": tries or limits.tries},
            tcp_keepalive=True,
        )
        client: Any = boto3.client(service, config=config)
        self.budget.bound(client, longest_ms=limits.longest_ms)
        return client
