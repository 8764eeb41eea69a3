from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.measures.calls import call
from tests.measures.test_figures import of
from tidemark.errors import ExitCode
from tidemark.invariants.judge import Verdict
from tidemark.load.ending import judge

if TYPE_CHECKING:
    from tidemark.measures.figures import Figures

WRITTEN = of(call())
ALL_REFUSED = of(call(), *[call("fail", problem="busy")] * 3)
NOTHING_WRITTEN = of(call("fail", problem="malformed", status=400))
MISSED = "error_share is 75% and may be 1%"


@pytest.mark.parametrize(
    ("figures", "missed", "failure", "is_interrupted", "code", "says"),
    [
        (WRITTEN, [], None, False, ExitCode.OK, None),
        (WRITTEN, [MISSED], None, False, ExitCode.SLO_MISSED, "error_share is 75%"),
        (ALL_REFUSED, [], None, False, ExitCode.OK, None),
        (NOTHING_WRITTEN, [MISSED], None, False, ExitCode.FAILED, "no write was accepted"),
        (of(), [], None, False, ExitCode.FAILED, "no call was answered"),
        (WRITTEN, [MISSED], "no table", False, ExitCode.FAILED, "no table"),
        (NOTHING_WRITTEN, [], "no table", True, ExitCode.INTERRUPTED, "stopped"),
    ],
)
def test_a_run_ends_with_the_code_that_says_why(
    figures: Figures,
    missed: list[str],
    failure: str | None,
    is_interrupted: bool,  # noqa: FBT001 -- a column of the table above
    code: ExitCode,
    says: str | None,
) -> None:
    found, reason = judge(
        figures, None, missed=missed, failure=failure, is_interrupted=is_interrupted
    )
    assert found is code
    assert (reason is None) == (says is None)
    assert says is None or says in str(reason)


def test_a_history_that_is_not_whole_is_unknown_but_for_what_is_violated_all_the_same() -> None:
    def ends(verdict: Verdict | None = None) -> ExitCode:
        return judge(WRITTEN, verdict, gap="the disk is full", failure="no table")[0]

    assert ends() is ExitCode.UNKNOWN
    assert ends(Verdict.VIOLATED) is ExitCode.VIOLATED


@pytest.mark.parametrize(
    ("verdict", "code"),
    [
        (Verdict.HOLDS, ExitCode.SLO_MISSED),
        (Verdict.VIOLATED, ExitCode.VIOLATED),
        (Verdict.UNKNOWN, ExitCode.UNKNOWN),
    ],
)
def test_what_the_judge_says_comes_before_a_missed_objective(
    verdict: Verdict, code: ExitCode
) -> None:
    assert judge(WRITTEN, verdict, missed=[MISSED])[0] is code


def test_what_was_violated_stays_so_when_the_run_was_stopped() -> None:
    assert judge(WRITTEN, Verdict.VIOLATED, is_interrupted=True)[0] is ExitCode.VIOLATED
