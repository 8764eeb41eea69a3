"""What a system under test must say of itself so that its runs can be written down and judged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from tidemark.api.client import Sink
    from tidemark.api.op import Op
    from tidemark.api.session import Session
    from tidemark.aws.clients import AwsClients
    from tidemark.host.deployment import Deployment

Values = dict[str, Any]
"""The values of a row, by the names of its table's columns."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a query saw.

    Attributes:
        table: The table of the run that holds it.
        rows: Its rows, without what the op says itself: who called, and when.
        owner: Whom it was about, of a query about an owner.
    """

    table: str
    rows: tuple[Values, ...]
    owner: str | None = None


@dataclass(frozen=True, slots=True)
class Asking:
    """Who asks a system for what it shows, once a run is over, and what about.

    Attributes:
        deployment: Where the system is.
        clients: The AWS clients of its target.
        session: Who asks.
        sink: Takes the op of every call.
        accounts: The accounts that are asked for, by their ids, with the versions they are at.
        owners: The owners that are asked for.
    """

    deployment: Deployment
    clients: AwsClients
    session: Session
    sink: Sink
    accounts: Mapping[str, int]
    owners: Collection[str]


class Workload(Protocol):
    """A system under test, as its history needs to know it: the bank, or one of your own.

    The tables and their columns are those of :mod:`tidemark.history.tables`.
    """

    @property
    def name(self) -> str:
        """What the workload is called."""

    @property
    def claims(self) -> tuple[str, ...]:
        """The invariants that every run of it is held to."""

    @property
    def is_views_only(self) -> bool:
        """Whether its read model is one view of each aggregate, and nothing else is exported.

        There are then no statement lines, heads, kept answers, marks or deliveries to judge.
        """

    def effect(self, op: Op) -> Mapping[str, Any] | None:
        """What the event of a command must do, as far as the command says; None of others."""

    def seen(self, op: Op) -> Seen | None:
        """What a query saw, if it was answered."""

    def sample(self, aggregate: str, version: int) -> Values | None:
        """One event with its effects, read by one transaction; None if there is no such event."""

    def unprojected(self, prefix: str) -> int:
        """How many events of a run are not projected yet, read consistently.

        Args:
            prefix: What the run's ids begin with.
        """

    def export(self, prefix: str) -> Iterator[tuple[str, Values]]:
        """Both sides as they are: the rows of a run, each with its table.

        Args:
            prefix: What the run's ids begin with.
        """

    def ask(self, asking: Asking) -> None:
        """Read through the API, for the purpose `final`, what the read model holds in the end.

        Every call is an op of the run; where one gets no answer, the others are not made.
        """


@dataclass(frozen=True, slots=True)
class Unknown:
    """A system that nobody described: its calls are written down, and nothing is judged."""

    name: str = "unknown"
    claims: tuple[str, ...] = ()
    is_views_only: bool = False

    def effect(self, op: Op) -> None:
        """Nothing is known of its commands."""

    def seen(self, op: Op) -> None:
        """Nothing is known of what its queries see."""

    def sample(self, aggregate: str, version: int) -> None:
        """Nothing is known of its tables."""

    def unprojected(self, prefix: str) -> int:  # noqa: ARG002 -- likewise
        """Nothing is known of its events."""
        return 0

    def export(self, prefix: str) -> Iterator[tuple[str, Values]]:  # noqa: ARG002 -- likewise
        """Nothing is known of its tables."""
        return iter(())

    def ask(self, asking: Asking) -> None:
        """Nothing is known of its queries."""
