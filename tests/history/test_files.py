"""What is said of a file that cannot be read."""

import pytest

from tidemark.history.files import first_line


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ValueError("Corrupt footer:\n  at 12\n  at 30"), "Corrupt footer"),
        (OSError(), "OSError"),
        (ValueError("\nsomewhere"), "ValueError"),
    ],
)
def test_it_is_one_line_and_never_nothing(error: Exception, said: str) -> None:
    assert first_line(error) == said
