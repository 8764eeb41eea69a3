"""How often the checker fails a run that was changed in one thing: writes `docs/checker.md`.

`.venv/bin/python -m tools.checker` makes thousands of changes and writes the page; with `--check`
it makes others, a tenth as many, and looks whether the page says what it would say but for its
figures. It fails where a change goes unnoticed that has no reason to.
"""

from __future__ import annotations

import re
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tests.invariants.clean_runs import clean_run
from tests.invariants.sentences import doubts, violations
from tests.invariants.survivors import REASONS
from tests.invariants.tally import Tally, tally
from tidemark.history.examination import CLOSING
from tidemark.history.tables import TABLES
from tidemark.invariants.catalog import choose
from tidemark.invariants.judge import Verdict

if TYPE_CHECKING:
    from collections import Counter

PAGE = Path(__file__).parents[1] / "docs/checker.md"
RUNS = range(100, 108)
CHANGES = 500
OTHERS = 50
STEPS = 40

_PAGE = """# The checker can fail

Written by `.venv/bin/python -m tools.checker`; do not edit.

A checker that never fails proves nothing, so this one is attacked.
In {runs} runs of a small model of the system, in which all holds, one thing was changed at a time.
It was done {changes} times: a row was dropped or doubled, or one cell of one row was another.
Digests, counts and closing rows are written anew with it: the invariants alone can notice.

*Red* is a violation.
*Unknown* counts only where a row is gone, or where a cell says otherwise how many there were.
What is *unnoticed* alters nothing that is claimed: each has one of the reasons below.

| table | changes | red | unknown | unnoticed |
|---|---:|---:|---:|---:|
{tables}

`writers` and `written` are the closing rows; what is wrong with them is seen when a run is opened.
No invariant reads {unread}: nothing is claimed of them.

## Why a change may go unnoticed

| table | change | reason | seen |
|---|---|---|---:|
{reasons}

## What else it is held against

- The invariants can say {violations} things against a run, and leave {doubts} unjudged.
  For each there is a history that makes the judge say just that.
  For each invariant there is one with too little evidence (`tests/invariants/test_cases.py`).
- A slow judge in plain Python says the same of every invariant in runs that were broken at random.
  `ORACLE_EXAMPLES=2000 .venv/bin/pytest tests/invariants/test_oracle.py --timeout 0` breaks two
  thousand.
- Of a system with one thing broken on purpose, the invariant that must notice does.
  Of the whole system under the same fault none complains (`tests/invariants/test_ablations.py`;
  `acceptance/ablations` does it to the functions themselves).
"""


def main(arguments: list[str]) -> int:
    """Change the runs, and write the page or compare it."""
    is_check = arguments == ["--check"]
    if arguments and not is_check:
        sys.stderr.write("There is --check, and nothing else to choose.\n")
        return 64
    counted = count(OTHERS if is_check else CHANGES, salt=len(arguments))
    wrong = [
        f"{why}: {one.table}, {one.what}: {one.before} became {one.after}."
        for why, mutations in (
            ("Nobody noticed, and it has no reason", counted.unexplained),
            ("The judge and the oracle do not say the same", counted.disputed),
        )
        for one in mutations
    ]
    page = page_of(counted)
    if not is_check:
        PAGE.write_text(page, encoding="utf-8")
    elif without_figures(PAGE.read_text(encoding="utf-8")) != without_figures(page):
        wrong.append(f"{PAGE.name} is not what would be written now: write it anew.")
    sys.stderr.writelines(f"{sentence}\n" for sentence in wrong)
    return bool(wrong)


def count(changes: int, *, salt: int) -> Tally:
    """Change every run so often, in as many processes as there are processors.

    Args:
        changes: How often each.
        salt: Another one makes other changes.
    """
    total = Tally()
    with ProcessPoolExecutor() as pool:
        for one in pool.map(partial(_count, changes=changes, salt=salt), RUNS):
            total += one
    return total


def without_figures(page: str) -> str:
    """A page without what differs from one sample of changes to the next."""
    return re.sub(r"[\d,.]+ ?%?", "#", page)


def page_of(counted: Tally) -> str:
    """The page that says how often what was noticed."""
    read = {name for invariant in choose(None) for name in invariant.needs}
    judged = [name for name in TABLES if name not in CLOSING]
    rows = [_row(name, counted.verdicts) for name in judged if name in read]
    reasons = [
        f"| {one.table} | {', '.join(one.whats)} | {one.because} | {seen} |"
        for one in REASONS
        for seen in [counted.reasons[one.table, one.because]]
    ]
    return _PAGE.format(
        runs=len(RUNS),
        changes=f"{len(RUNS) * CHANGES:,}",
        tables="\n".join(rows),
        unread=" and ".join(f"`{name}`" for name in judged if name not in read),
        reasons="\n".join(reasons),
        violations=len(violations()),
        doubts=len(doubts()),
    )


def _count(seed: int, *, changes: int, salt: int) -> Tally:
    return tally(clean_run(seed, STEPS), seed + 1000 * salt, changes)


def _row(name: str, verdicts: Counter[tuple[str, Verdict]]) -> str:
    said = [verdicts[name, one] for one in (Verdict.VIOLATED, Verdict.UNKNOWN, Verdict.HOLDS)]
    rates = [f"{100 * number / sum(said):.1f} %" for number in said]
    return f"| {name} | {sum(said)} | {' | '.join(rates)} |"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
