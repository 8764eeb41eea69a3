"""How many changes of a run are noticed, and why the others are not."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.invariants.mutations import Forger, Mutation
from tests.invariants.survivors import reason_of
from tidemark.invariants.judge import Verdict

if TYPE_CHECKING:
    from tests.invariants.recorded import Tables


@dataclass
class Tally:
    """What became of many changes.

    Attributes:
        verdicts: How often the judge said what, by table.
        reasons: How often a change went unnoticed, by its table and the reason.
        unexplained: What went unnoticed and has no reason, or is unknown and should be red.
    """

    verdicts: Counter[tuple[str, Verdict]] = field(default_factory=Counter)
    reasons: Counter[tuple[str, str]] = field(default_factory=Counter)
    unexplained: list[Mutation] = field(default_factory=list)

    def add(self, mutation: Mutation, verdict: Verdict, tables: Tables) -> None:
        """Count one change of a run."""
        self.verdicts[mutation.table, verdict] += 1
        if verdict is Verdict.HOLDS:
            reason = reason_of(mutation, tables)
            if reason is None:
                self.unexplained.append(mutation)
            else:
                self.reasons[reason.table, reason.because] += 1
        elif verdict is Verdict.UNKNOWN and not mutation.may_be_unknown:
            self.unexplained.append(mutation)


def tally(tables: Tables, seed: int, changes: int) -> Tally:
    """Change a run so often, one thing at a time, and count what the judge says.

    Args:
        tables: The run, in which all holds.
        seed: Where every draw comes from.
        changes: How often.
    """
    forger, counted = Forger(tables, seed), Tally()
    for _ in range(changes):
        mutation, changed = forger.draw()
        counted.add(mutation, forger.verdict(changed), tables)
    return counted
