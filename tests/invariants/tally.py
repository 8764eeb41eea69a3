"""How many changes of a run are noticed, and why the others are not."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from tests.invariants import oracle
from tests.invariants.mutations import Forger, Mutation
from tests.invariants.survivors import reason_of
from tidemark.invariants.judge import Verdict, together

if TYPE_CHECKING:
    from tests.invariants.recorded import Tables


@dataclass
class Tally:
    """What became of many changes.

    Attributes:
        verdicts: How often the judge said what, by table.
        reasons: How often a change went unnoticed, by its table and the reason.
        unexplained: What went unnoticed and has no reason, or is unknown and should be red.
        disputed: Of what the judge and the oracle do not say the same.
    """

    verdicts: Counter[tuple[str, Verdict]] = field(default_factory=Counter)
    reasons: Counter[tuple[str, str]] = field(default_factory=Counter)
    unexplained: list[Mutation] = field(default_factory=list)
    disputed: list[Mutation] = field(default_factory=list)

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

    def __iadd__(self, other: Tally) -> Self:
        """Take in what another counted."""
        self.verdicts += other.verdicts
        self.reasons += other.reasons
        self.unexplained += other.unexplained
        self.disputed += other.disputed
        return self


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
        verdicts = forger.verdicts(changed)
        counted.add(mutation, together(verdicts.values()), tables)
        said = oracle.verdicts(changed)
        if any(said[one] is not verdict for one, verdict in verdicts.items()):
            counted.disputed.append(mutation)
    return counted
