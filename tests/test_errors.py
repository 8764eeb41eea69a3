from __future__ import annotations

from tidemark.errors import (
    EndedError,
    ExitCode,
    InterruptedByUserError,
    NotStartedError,
    TidemarkError,
)


def test_the_numbers_are_the_interface() -> None:
    assert [int(code) for code in ExitCode] == [0, 1, 2, 3, 64, 70, 130]


def test_every_code_has_words() -> None:
    assert len({code.meaning for code in ExitCode}) == len(ExitCode)


def test_an_error_knows_the_code_to_exit_with() -> None:
    errors = [
        TidemarkError("a"),
        NotStartedError("b"),
        InterruptedByUserError("c"),
        EndedError(ExitCode.OK),
    ]

    assert [error.exit_code for error in errors] == [70, 64, 130, 0]
