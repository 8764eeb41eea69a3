"""Why a change of a run may go unnoticed: it alters nothing that is claimed of the run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.invariants import reasons_history, reasons_messages, reasons_ops, reasons_states

if TYPE_CHECKING:
    from tests.invariants.mutations import Mutation
    from tests.invariants.reason import Reason
    from tests.invariants.recorded import Tables

REASONS: tuple[Reason, ...] = (
    *reasons_history.REASONS,
    *reasons_ops.REASONS,
    *reasons_states.REASONS,
    *reasons_messages.REASONS,
)
"""Each class of changes that goes unnoticed, with its reason; what has none is a mistake."""


def reason_of(mutation: Mutation, tables: Tables) -> Reason | None:
    """Why a change of a run alters nothing that is claimed; None if that has no reason."""
    for reason in REASONS:
        if (
            reason.table == mutation.table
            and mutation.what in reason.whats
            and reason.when(mutation, tables)
        ):
            return reason
    return None
