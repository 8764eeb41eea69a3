"""What was accepted while the Update Processor might not run, and when it might again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from integration.facts import Fact
    from tidemark.workloads.bank_items import Row


@dataclass(frozen=True)
class Throttled:
    """What was done meanwhile.

    Attributes:
        facts: The events of one account.
        shown: The account as the read model had it meanwhile.
        ended_s: When it was over, by the monotonic clock.
    """

    facts: list[Fact]
    shown: Row | None
    ended_s: float
