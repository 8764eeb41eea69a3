"""Named facts: events that a test caused, and waiting for the query side to have them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tidemark.host.waiting import NotYetError, eventually

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tidemark.workloads.bank_tables import BankTables

# A first delivery to a cold function on a busy machine.
PROJECTED_WITHIN_S = 30.0


@dataclass(frozen=True)
class Fact:
    """One event by its name: account, version and id."""

    account_id: str
    version: int
    event_id: str


def await_projected(
    tables: BankTables, facts: Iterable[Fact], *, within_s: float = PROJECTED_WITHIN_S
) -> None:
    """Wait until each of these very events is acknowledged and its line can be read."""
    wanted = list(facts)
    assert wanted, "waiting for no event proves nothing"

    def probe() -> bool:
        missing = [fact for fact in wanted if not _is_projected(tables, fact)]
        if missing:
            names = ", ".join(
                f"{one.event_id} ({one.account_id} v{one.version})" for one in missing
            )
            raise NotYetError(f"{len(missing)} of {len(wanted)} missing: {names}")
        return True

    eventually(probe, within_s=within_s, what=f"{len(wanted)} named events on the query side")


def _is_projected(tables: BankTables, fact: Fact) -> bool:
    event = tables.event(fact.account_id, fact.version)
    assert event is not None, f"the log has no {fact}"
    assert event.key.event_id == fact.event_id, f"the log has {event.key.event_id} as {fact}"
    return event.mark is None and tables.line(fact.account_id, fact.version) is not None
