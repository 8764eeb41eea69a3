from __future__ import annotations

from dataclasses import replace

import pytest

from tests.measures.ops import op
from tidemark.api.op import Outcome
from tidemark.errors import ExitCode
from tidemark.invariants.judge import Verdict
from tidemark.load.ending import judge
from tidemark.measures import slo
from tidemark.measures.lag import Lag
from tidemark.measures.summary import Summary, summarise
from tidemark.percentiles import Spread

WRITTEN = summarise([op()], frozenset())
MOSTLY_ERRORS = summarise([op(), *[op(Outcome.INFO, problem="http-500")] * 3], frozenset())
SOME_ERRORS = summarise([*[op()] * 99, op(Outcome.INFO, problem="http-500")], frozenset())
ALL_REFUSED = summarise([op(), *[op(Outcome.FAIL, problem="busy")] * 3], frozenset({"busy"}))
NOTHING_WRITTEN = summarise([op(Outcome.FAIL, problem="malformed", status=400)], frozenset())
SEEN = Lag(events=2, projected=2, spread=Spread(1, 1, 1, 1), late=[], missing=[], waited_s=1.0)


@pytest.mark.parametrize(
    ("summary", "lag", "failure", "is_interrupted", "code", "says"),
    [
        (WRITTEN, SEEN, None, False, ExitCode.OK, None),
        (WRITTEN, replace(SEEN, late=["e"]), None, False, ExitCode.UNKNOWN, "1 of 2 events"),
        (WRITTEN, replace(SEEN, missing=["e"]), None, False, ExitCode.VIOLATED, "not in the log"),
        (WRITTEN, replace(SEEN, missing=["e"]), "no table", True, ExitCode.VIOLATED, "not in the"),
        (MOSTLY_ERRORS, SEEN, None, False, ExitCode.SLO_MISSED, "error_share is 75.0%"),
        (MOSTLY_ERRORS, replace(SEEN, late=["e"]), None, False, ExitCode.UNKNOWN, "1 of 2"),
        (SOME_ERRORS, SEEN, None, False, ExitCode.OK, None),
        (ALL_REFUSED, SEEN, None, False, ExitCode.OK, None),
        (WRITTEN, None, None, False, ExitCode.UNKNOWN, "not read"),
        (NOTHING_WRITTEN, SEEN, None, False, ExitCode.FAILED, "no write was accepted"),
        (summarise([], frozenset()), SEEN, None, False, ExitCode.FAILED, "no call was answered"),
        (WRITTEN, None, "no table", False, ExitCode.FAILED, "no table"),
        (NOTHING_WRITTEN, None, "no table", True, ExitCode.INTERRUPTED, "stopped"),
        (WRITTEN, replace(SEEN, is_complete=False), None, False, ExitCode.INTERRUPTED, "stopped"),
    ],
)
def test_a_run_ends_with_the_code_that_says_why(
    summary: Summary,
    lag: Lag | None,
    failure: str | None,
    is_interrupted: bool,  # noqa: FBT001 -- a column of the table above
    code: ExitCode,
    says: str | None,
) -> None:
    missed = slo.missed(slo.DEFAULTS, slo.measured(summary, lag))
    found, reason = judge(
        summary, lag, None, missed=missed, failure=failure, is_interrupted=is_interrupted
    )
    assert found is code
    assert (reason is None) == (says is None)
    assert says is None or says in str(reason)


def test_a_history_that_is_not_whole_is_unknown_but_for_what_is_violated_all_the_same() -> None:
    def ends(lag: Lag, verdict: Verdict | None = None) -> ExitCode:
        return judge(
            WRITTEN,
            lag,
            verdict,
            gap="the disk is full",
            failure="no table",
            is_interrupted=False,
        )[0]

    assert ends(SEEN) is ExitCode.UNKNOWN
    assert ends(SEEN, Verdict.VIOLATED) is ExitCode.VIOLATED
    assert ends(replace(SEEN, missing=["e"])) is ExitCode.VIOLATED


@pytest.mark.parametrize(
    ("verdict", "code"),
    [
        (Verdict.HOLDS, ExitCode.OK),
        (Verdict.VIOLATED, ExitCode.VIOLATED),
        (Verdict.UNKNOWN, ExitCode.UNKNOWN),
    ],
)
def test_what_the_judge_says_decides_where_nothing_else_is_wrong(
    verdict: Verdict, code: ExitCode
) -> None:
    summary, lag = WRITTEN, SEEN

    found, _ = judge(summary, lag, verdict, failure=None, is_interrupted=False)

    assert found is code
