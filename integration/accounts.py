"""Names that no other test has, and commands that must be accepted."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

from integration.facts import Fact
from tidemark.api.client import forget
from tidemark.api.op import Outcome
from tidemark.api.session import Writer, new_run_id

if TYPE_CHECKING:
    from tidemark.api.client import Client
    from tidemark.api.op import Op


@dataclass(frozen=True)
class Names:
    """Ids of one session's accounts and owners, and keys of its commands."""

    prefix: str

    @classmethod
    def of(cls, client: Client) -> Self:
        return cls(client.session.prefix)

    def account(self, name: str = "account") -> str:
        return f"{self.prefix}.{name}"

    def owner(self, name: str = "owner") -> str:
        return f"{self.prefix}.{name}"

    def key(self, name: str) -> str:
        """An idempotency key."""
        return f"{self.prefix}.{name}"


def outside(client: Client, name: str) -> Client:
    """A client that no run knows of.

    For accounts that are also changed past every client: by requests as nobody should send them,
    by messages that a test makes up.
    """
    session = Writer(new_run_id(), "outside").session(name)
    return replace(client, session=session, sink=forget)


def beside(client: Client, number: int) -> Client:
    """A client for one of several threads of a test."""
    return client.for_session(f"{client.session.name}-{number}")


def accepted(op: Op) -> Fact:
    """The event that a command caused; the test fails if the command was not accepted."""
    assert op.outcome is Outcome.OK, f"{op.operation}: {op.status} {op.problem_type} {op.detail}"
    assert op.status == 202
    assert op.aggregate is not None
    assert op.version is not None
    assert op.event_id is not None
    return Fact(op.aggregate, op.version, op.event_id)
