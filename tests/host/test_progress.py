"""A step is said to be done once it is, and waited for until then."""

from __future__ import annotations

import io
import re

from rich.console import Console

from tidemark.host.progress import Steps


def test_what_is_not_done_yet_is_waited_for() -> None:
    shown = io.StringIO()
    terminal = {"TERM": "xterm", "COLUMNS": "80"}
    steps = Steps(Console(file=shown, force_terminal=True, _environ=terminal))

    with steps.step("Tidemark is deployed") as show:
        show("3 of 4")
    *live, done = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.getvalue()).rstrip().split("\r")

    assert any("waiting until Tidemark is deployed" in line for line in live)
    assert done.startswith("  Tidemark is deployed (0.")


def test_off_a_terminal_only_what_is_done_is_a_line() -> None:
    shown = io.StringIO()

    with Steps(Console(file=shown)).step("Tidemark is deployed"):
        assert shown.getvalue() == ""

    assert shown.getvalue().startswith("  Tidemark is deployed (0.")
