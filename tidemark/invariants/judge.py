"""The judge: asks every invariant of a run folder, and says holds, violated or unknown."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

import duckdb

from tidemark.errors import ExitCode
from tidemark.invariants.views import UnreadableError, connect, hashed, reading

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tidemark.history.folder import RunFolder
    from tidemark.invariants.catalog import Invariant

MOST_COUNTEREXAMPLES = 20
_COLUMNS = ("what", "aggregate", "version", "key", "event_id", "expected", "found")
# Of a hash there are no letters.
_LETTERS = "SUBSTR("
_ORDER = ", ".join(f"{one} NULLS LAST" for one in _COLUMNS)


class Verdict(StrEnum):
    """What is known of an invariant, or of a run, once it was judged."""

    HOLDS = "holds"
    VIOLATED = "violated"
    UNKNOWN = "unknown"
    NOT_EXERCISED = "not exercised"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was seen of what an invariant needs."""

    what: str
    seen: int
    needed: int

    @property
    def is_enough(self) -> bool:
        """Whether it is as much as is needed."""
        return self.seen >= self.needed


@dataclass(frozen=True, slots=True)
class Counterexample:
    """One thing that an invariant forbids, as it was found.

    Attributes:
        what: What is wrong, in words.
        aggregate: The account, if it is one's.
        version: Its version.
        event_id: The event.
        key: The idempotency key, or the message.
        expected: What should be, where that is a number.
        found: What is.
    """

    what: str
    aggregate: str | None
    version: int | None
    event_id: str | None
    key: str | None
    expected: int | None
    found: int | None


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the judge says of one invariant.

    Attributes:
        invariant: Which.
        verdict: What.
        is_claimed: Whether the run is held to it.
        evidence: What was seen.
        count: How many counterexamples there are.
        counterexamples: The first of them.
        reasons: Why it is unknown, if it is.
    """

    invariant: Invariant
    verdict: Verdict
    is_claimed: bool
    evidence: tuple[Evidence, ...] = ()
    count: int = 0
    counterexamples: tuple[Counterexample, ...] = ()
    reasons: tuple[str, ...] = field(default=())


def verdict_of(judgements: Iterable[Judgement]) -> Verdict:
    """The verdict of a run, from those of its invariants."""
    return together(one.verdict for one in judgements)


def together(verdicts: Iterable[Verdict]) -> Verdict:
    """One verdict of several: violated outranks unknown, unknown outranks holds."""
    found = set(verdicts)
    for verdict in (Verdict.VIOLATED, Verdict.UNKNOWN, Verdict.HOLDS):
        if verdict in found:
            return verdict
    return Verdict.UNKNOWN  # nothing was asked


EXIT_CODES = {
    Verdict.HOLDS: ExitCode.OK,
    Verdict.VIOLATED: ExitCode.VIOLATED,
    Verdict.UNKNOWN: ExitCode.UNKNOWN,
}


def judge(folder: RunFolder, invariants: Sequence[Invariant]) -> list[Judgement]:
    """Ask invariants of a run.

    Args:
        folder: The run.
        invariants: Which.
    """
    with connect(folder) as run:
        return judge_tables(run, folder.gaps, invariants)


def judge_tables(
    run: duckdb.DuckDBPyConnection,
    gaps: Mapping[str, Sequence[str]],
    invariants: Sequence[Invariant],
) -> list[Judgement]:
    """Ask invariants of the tables of a run.

    One that is not claimed is judged all the same where there is evidence enough; where there
    is not, the run never set up what it is about.

    Args:
        run: A database with the tables of a run, and perhaps with hashes for the names in them.
        gaps: What is wrong with them, by table.
        invariants: Which.
    """
    claimed = _claimed(run, gaps)
    return [
        _judge_readable(run, gaps, one, is_claimed=claimed is None or one.id in claimed)
        for one in invariants
    ]


def _claimed(run: duckdb.DuckDBPyConnection, gaps: Mapping[str, Sequence[str]]) -> set[str] | None:
    """The invariants that a run is held to; None, where that is not known, for all of them."""
    if "claims" in gaps:
        return None
    try:
        return {row[0] for row in run.execute("SELECT invariant FROM claims").fetchall()}
    except duckdb.Error:
        return None


def _judge_readable(
    run: duckdb.DuckDBPyConnection,
    gaps: Mapping[str, Sequence[str]],
    invariant: Invariant,
    *,
    is_claimed: bool,
) -> Judgement:
    try:
        with reading():
            return _judge(run, gaps, invariant, is_claimed=is_claimed)
    except UnreadableError as error:
        return Judgement(invariant, Verdict.UNKNOWN, is_claimed, reasons=(str(error),))


def _judge(
    run: duckdb.DuckDBPyConnection,
    gaps: Mapping[str, Sequence[str]],
    invariant: Invariant,
    *,
    is_claimed: bool,
) -> Judgement:
    # What is wrong with several of its tables alike is said once.
    if broken := dict.fromkeys(gap for table in invariant.needs for gap in gaps.get(table, ())):
        return Judgement(invariant, Verdict.UNKNOWN, is_claimed, reasons=tuple(broken))
    with hashed(run):
        seen = run.execute(invariant.seen).fetchall()
    evidence = tuple(Evidence(*row) for row in sorted(seen))
    has_found = any(_may_find(run, query) for query in invariant.first)
    count, counterexamples = _counterexamples(run, invariant) if has_found else (0, ())
    beyond = _beyond_judgement(run, invariant) if has_found else []
    lacking = [
        f"too little was seen: {one.seen} {one.what}, and it takes {one.needed}"
        for one in evidence
        if not one.is_enough
    ]
    reasons = [*lacking, *beyond]
    if count:
        verdict = Verdict.VIOLATED
    elif lacking and not is_claimed:
        verdict = Verdict.NOT_EXERCISED
    else:
        verdict = Verdict.UNKNOWN if reasons else Verdict.HOLDS
    return Judgement(
        invariant, verdict, is_claimed, evidence, count, counterexamples, tuple(reasons)
    )


def _counterexamples(
    run: duckdb.DuckDBPyConnection, invariant: Invariant
) -> tuple[int, tuple[Counterexample, ...]]:
    rows = run.execute(
        f"SELECT v.*, COUNT(*) OVER () FROM ({_all_of(invariant.violations)}) v "  # noqa: S608 -- a file of the package
        f"ORDER BY {_ORDER} LIMIT {MOST_COUNTEREXAMPLES}"
    ).fetchall()
    return (rows[0][-1] if rows else 0), tuple(Counterexample(*row[:-1]) for row in rows)


def _beyond_judgement(run: duckdb.DuckDBPyConnection, invariant: Invariant) -> list[str]:
    """What of a run cannot be judged, and why."""
    if not invariant.unknown:
        return []
    said = _all_of(invariant.unknown)
    rows = run.execute(
        f"SELECT what, COUNT(DISTINCT aggregate), MIN(aggregate) FROM ({said}) u "  # noqa: S608 -- a file of the package
        "GROUP BY what ORDER BY what"
    ).fetchall()
    return [f"{what}: {count} of them, such as {example}" for what, count, example in rows]


def _may_find(run: duckdb.DuckDBPyConnection, query: str) -> bool:
    """Whether a query may find anything: asked of the hashes of names, which takes half as long.

    If any query of an invariant does, all of them are asked of the names themselves: it is that
    which counts. What they find would be missed only if it hung on two names, or two sums of all
    rows, that differ and have one hash of 64 bits.
    """
    with hashed(run) if _LETTERS not in query else nullcontext(True) as can_be_asked:
        if not can_be_asked:
            return True
        try:
            found = run.execute(f"SELECT 1 FROM ({query}) q LIMIT 1")  # noqa: S608 -- a file of the package
            return found.fetchone() is not None
        except duckdb.OutOfRangeException:  # an edited number: no sum can be made of it
            return True


def _all_of(queries: Sequence[str]) -> str:
    return " UNION ALL ".join(f"SELECT * FROM ({one}) q" for one in queries)  # noqa: S608 -- as above
