"""Whether all of a table can be read on a terminal of 80 columns."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

NARROW = 80
# With these rich takes its output for a terminal of that width.
_TERMINAL = {"COLUMNS": str(NARROW), "FORCE_COLOR": "1", "TERM": "xterm-256color"}
_COLOURS = re.compile(r"\x1b\[[\d;]*m")
_RULES = "─━"


def assert_readable(
    show: Callable[[], object],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> str:
    """See that nothing is lost or too wide on a narrow terminal; return what is printed there.

    Args:
        show: Prints a table on standard output; what it holds has no ellipsis.
        monkeypatch: Makes the terminal.
        capsys: Reads it.
    """
    for name in _TERMINAL:
        monkeypatch.delenv(name, raising=False)
    show()
    whole = capsys.readouterr().out
    for name, value in _TERMINAL.items():
        monkeypatch.setenv(name, value)
    show()
    printed = _COLOURS.sub("", capsys.readouterr().out)

    assert [line for line in printed.splitlines() if len(line) > NARROW] == []
    assert "…" not in printed
    assert _characters(printed) == _characters(whole)
    return printed


def _characters(text: str) -> Counter[str]:
    """What is left when cells are folded in another way."""
    return Counter(one for one in text if not one.isspace() and one not in _RULES)
