"""A workload of your own: one class says how a system is commanded, read, exported and folded.

It is all that Tidemark must know of a CQRS system in order to write down what tests do to it and
to judge what becomes of it, whatever its API, its tables and its transport are.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tidemark.aws.clients import AwsClients
    from tidemark.host.deployment import Deployment

State = Mapping[str, Any]
"""What a system shows of an aggregate, as JSON: strings, integers, booleans, lists, objects."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What a test asks a system to do.

    Attributes:
        operation: What is to be done, such as `scan`.
        aggregate: To what, by its id.
        body: What else the system must be told, as JSON.
        key: The command's id, new for each command, and the same when one is sent again.
        expected_version: The version that the aggregate must be at; None for any.
    """

    operation: str
    aggregate: str
    body: Mapping[str, Any]
    key: str
    expected_version: int | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """The command is done: its event is in the log.

    Attributes:
        version: The version that it made, from 1.
        event_id: Its event; None where a version of an aggregate is all the id that events have.
        replayed: Whether this is the answer to an earlier command with the same key.
    """

    version: int
    event_id: str | None = None
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """The command is certainly not done, or the read is not answered.

    Attributes:
        why: In a word or two, such as `delivered`.
        status: The HTTP status that means the same: 412 for another version than was expected,
            409 for a read model that is behind the token, 429 for too many requests.
    """

    why: str
    status: int = 422


@dataclass(frozen=True, slots=True)
class View:
    """What the read model shows of an aggregate.

    Attributes:
        version: The version that is shown, from 1.
        state: The rest of it: exactly what `fold` makes of the events up to that version.
    """

    version: int
    state: State


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """An event of the log.

    Attributes:
        aggregate: What it happened to.
        version: The version that it made: 1, 2, 3 ... of each aggregate.
        key: The key of the command that caused it.
        data: What happened, as JSON: all that `fold` looks at.
        event_id: Its id; None where a version of an aggregate is all the id that events have.
        recorded_at_ms: When it was appended, UTC milliseconds by the system's clock, if known.
        projected_at_ms: When the read model took it in, likewise; both make the projection lag.
    """

    aggregate: str
    version: int
    key: str
    data: Mapping[str, Any]
    event_id: str | None = None
    recorded_at_ms: int | None = None
    projected_at_ms: int | None = None


class OwnWorkload(ABC):
    """The base of a workload of your own; it is made anew for each use, and keeps nothing.

    What a method raises, but for `send` and `read`, ends the judgement with a sentence that names
    the method. Threads may call `send` and `read` at once.

    Args:
        deployment: The deployed stack: `deployment.outputs` has its outputs by name.
        aws: Clients for the target that it is on: `aws.dynamodb`, `aws.client("lambda")`.
    """

    claims: ClassVar[tuple[str, ...]] = ("I0", "I1", "I2", "I3", "I5", "I6")
    """The invariants that every run is held to; the others are judged where enough was seen."""

    def __init__(self, deployment: Deployment, aws: AwsClients) -> None:
        self.deployment = deployment
        self.aws = aws

    @abstractmethod
    def send(self, command: Command) -> Accepted | Refused:
        """Have the system do something, once, and say what it answered.

        Raises:
            Exception: Nobody knows whether it was done, such as after a timeout; it is written
                down as that, and goes on to the test.
        """

    @abstractmethod
    def read(self, aggregate: str, token: int | None) -> View | Refused | None:
        """Ask the read side, as a user would; None for an aggregate that it does not know.

        Args:
            aggregate: What is asked for.
            token: The version that must be seen at least; None, if whatever is there will do.

        Raises:
            Exception: No answer came; it goes on to the test.
        """

    @abstractmethod
    def events(self, prefix: str) -> Iterable[Event]:
        """The log of the write side, read consistently, in any order.

        Args:
            prefix: What the ids of the run's aggregates begin with; more may be given.
        """

    @abstractmethod
    def views(self, prefix: str) -> Iterable[tuple[str, View]]:
        """What the read model holds: each aggregate with its view, read consistently.

        Args:
            prefix: What the ids of the run's aggregates begin with; more may be given.
        """

    @abstractmethod
    def fold(self, state: State | None, event: Event) -> State:
        """What a read must show after an event, without the version.

        It looks at nothing but its arguments, and leaves them as they are.

        Args:
            state: What it had to show before; None before the first event.
            event: The next one.
        """

    def expects(self, command: Command) -> Mapping[str, Any] | None:  # noqa: ARG002 -- for those who know
        """The `data` that the event of a command must have, if that can be said of it."""
        return None
