"""Whether what went wrong in a run went wrong with one key: an account, or an owner's totals.

The commands for an account are decided one after the other, and so are the changes of an owner's
totals: where one of them is the limit, a faster target helps nobody.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tidemark.measures.lateness import LAGGING_EVENTS

if TYPE_CHECKING:
    import duckdb

LEAST = 10
"""Of fewer cases nothing is said."""

_LEAST_SHARE = 0.5
_MISSES = 0.01
_LEAST_RISK = 3
"""How many times as likely something goes wrong with the key as with another."""


@dataclass(frozen=True)
class HotKey:
    """A key with which most went wrong.

    Attributes:
        what: What went wrong, in words.
        kind: What the key is of: account or owner.
        key: It.
        share: Its share of what went wrong.
        share_of_all: Its share of all that could have.
    """

    what: str
    kind: str
    key: str
    share: float
    share_of_all: float

    def __str__(self) -> str:
        if self.share_of_all == 1:
            return (
                f"a single hot key is the limit, or hides that of the target: the {self.kind} "
                f"{self.key} has all of the calls (a profile with more {self.kind}s tells which)"
            )
        return (
            f"a single hot key is the limit: {self.share:.0%} of the {self.what} are of the "
            f"{self.kind} {self.key}, which has {self.share_of_all:.0%} of the calls"
        )


def hot_key(run: duckdb.DuckDBPyConnection, *, slow_ms: float, late_ms: float) -> HotKey | None:
    """Find the key with which most commands were refused as busy or slow, or most events late.

    Args:
        run: A database with the tables of a run.
        slow_ms: A command that takes longer, from its actual start, is slow.
        late_ms: An event that is projected later is late.
    """
    for what, kind, query, beyond in (
        ("commands that were busy or slow", "account", _COMMANDS, slow_ms),
        # An account that is hot makes its owner hot; one owner's accounts need not be.
        ("late events", "account", _OF_ACCOUNTS, late_ms),
        ("late events", "owner", _OF_OWNERS, late_ms),
    ):
        worst = run.execute(query, [beyond]).fetchone()
        if worst is None:
            continue
        key, wrong, all_wrong, of_key, of_all = worst
        others_wrong, others = all_wrong - wrong, of_all - of_key
        is_likelier = wrong * others >= _LEAST_RISK * others_wrong * of_key
        # Where there is one key alone it is none of a comparison, and enough to miss a p99.
        is_said = all_wrong >= LEAST if others else wrong > _MISSES * of_key
        if wrong >= _LEAST_SHARE * all_wrong and is_likelier and is_said:
            return HotKey(what, kind, str(key), wrong / all_wrong, of_key / of_all)
    return None


_WORST = """
SELECT key, wrong, SUM(wrong) OVER () AS all_wrong, of_key, SUM(of_key) OVER () AS of_all
FROM (
  SELECT key, COUNT(*) FILTER (WHERE is_wrong) AS wrong, COUNT(*) AS of_key
  FROM ({rows}) AS rows WHERE key IS NOT NULL GROUP BY key
) AS keys
ORDER BY wrong DESC, key
LIMIT 1
"""
_COMMANDS = _WORST.format(
    rows="""
    SELECT aggregate AS key,
           COALESCE(problem = 'busy', FALSE) OR end_ns - start_ns > ? * 1000000 AS is_wrong
    FROM ops WHERE purpose = 'load' AND kind = 'command'
    """
)
_EVENTS = f"""
    SELECT {{key}} AS key, COALESCE(projected_at_ms - recorded_at_ms > ?, TRUE) AS is_wrong
    {LAGGING_EVENTS}
    """
_OF_OWNERS = _WORST.format(rows=_EVENTS.format(key="e.owner"))
_OF_ACCOUNTS = _WORST.format(rows=_EVENTS.format(key="e.aggregate"))
