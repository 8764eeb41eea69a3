"""Names that no other test has, and commands that must be accepted."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from integration.facts import Fact
from tidemark.api.op import Outcome

if TYPE_CHECKING:
    from tidemark.api.op import Op


@dataclass(frozen=True)
class Names:
    """Ids of one test's accounts and owners."""

    prefix: str

    @classmethod
    def fresh(cls) -> Self:
        return cls(f"it-{uuid.uuid4().hex[:12]}")

    def account(self, name: str = "account") -> str:
        return f"{self.prefix}.{name}"

    def owner(self, name: str = "owner") -> str:
        return f"{self.prefix}.{name}"

    def key(self, name: str) -> str:
        """An idempotency key."""
        return f"{self.prefix} {name}"


def accepted(op: Op) -> Fact:
    """The event that a command caused; the test fails if the command was not accepted."""
    assert op.outcome is Outcome.OK, f"{op.operation}: {op.status} {op.problem_type} {op.detail}"
    assert op.status == 202
    assert op.aggregate is not None
    assert op.version is not None
    assert op.event_id is not None
    return Fact(op.aggregate, op.version, op.event_id)
