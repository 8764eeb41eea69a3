"""Who forges one thing in a run is found out, unless it is nothing that anybody claims."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.invariants.clean_runs import clean_run
from tests.invariants.mutations import Mutation
from tests.invariants.sentences import doubts, violations
from tests.invariants.survivors import REASONS, reason_of
from tests.invariants.tally import Tally, tally
from tidemark.invariants.judge import Verdict

PAGE = Path(__file__).parents[2] / "docs/checker.md"


@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", range(2))
def test_a_change_is_noticed_or_alters_nothing_that_is_claimed(seed: int) -> None:
    counted = tally(clean_run(seed, steps=20), seed, changes=50)

    assert counted.unexplained == counted.disputed == []
    noticed = sum(n for (_, verdict), n in counted.verdicts.items() if verdict != Verdict.HOLDS)
    assert noticed > sum(counted.reasons.values())


def test_what_goes_unnoticed_without_a_reason_is_told() -> None:
    tables = clean_run()
    account = tables["accounts"][0]
    counted = Tally()

    counted.add(Mutation("accounts", "balance", account, account | {"balance": 1}),
                Verdict.HOLDS, tables)  # fmt: skip

    assert [one.what for one in counted.unexplained] == ["balance"]


def test_only_what_is_gone_may_be_unknown() -> None:
    tables = clean_run()
    account = tables["accounts"][0]
    counted = Tally()

    counted.add(Mutation("accounts", "drop", account, None), Verdict.UNKNOWN, tables)
    assert counted.unexplained == []
    counted.add(Mutation("accounts", "version", account, account | {"version": 2}),
                Verdict.UNKNOWN, tables)  # fmt: skip
    assert [one.what for one in counted.unexplained] == ["version"]


def test_a_reason_is_one_only_where_it_is_true() -> None:
    tables = clean_run()
    letters = {row["event_id"]: row for row in tables["dead_letters"]}
    poison = letters.pop(None)
    (stale,) = letters.values()

    assert reason_of(Mutation("dead_letters", "drop", stale, None), tables) is not None
    assert reason_of(Mutation("dead_letters", "drop", poison, None), tables) is None


def test_the_page_gives_every_reason() -> None:
    page = PAGE.read_text(encoding="utf-8")

    for reason in REASONS:
        assert f"| {reason.table} | {', '.join(reason.whats)} | {reason.because} |" in page
    assert f"can say {len(violations())} things against a run" in page
    assert f"leave {len(doubts())} unjudged" in page
