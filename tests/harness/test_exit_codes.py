from __future__ import annotations

import pytest

from tidemark.errors import EndedError, InterruptedByUserError, RefusedError, TidemarkError
from tidemark.exit_codes import ExitCode, gravest

OK, VIOLATED, SLO_MISSED, UNKNOWN = (
    ExitCode.OK,
    ExitCode.VIOLATED,
    ExitCode.SLO_MISSED,
    ExitCode.UNKNOWN,
)


def test_the_numbers_are_the_interface() -> None:
    assert [int(code) for code in ExitCode] == [0, 1, 2, 3, 64, 70, 130]


@pytest.mark.parametrize(
    ("codes", "gravest_code"),
    [
        ([], OK),
        ([OK, SLO_MISSED], SLO_MISSED),
        ([SLO_MISSED, UNKNOWN], UNKNOWN),
        ([SLO_MISSED, VIOLATED, UNKNOWN], VIOLATED),
        ([VIOLATED, ExitCode.FAILED], ExitCode.FAILED),
        ([ExitCode.FAILED, ExitCode.INTERRUPTED], ExitCode.INTERRUPTED),
    ],
)
def test_when_several_apply_the_gravest_wins(codes: list[ExitCode], gravest_code: ExitCode) -> None:
    assert gravest(codes) is gravest_code


def test_every_code_has_words() -> None:
    assert len({code.meaning for code in ExitCode}) == len(ExitCode)


def test_an_error_knows_the_code_to_exit_with() -> None:
    errors = [TidemarkError("a"), RefusedError("b"), InterruptedByUserError("c"), EndedError(OK)]

    assert [error.exit_code for error in errors] == [70, 64, 130, 0]
