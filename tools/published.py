"""Pages of figures that a command measures and writes: a section for each target, kept by itself.

A target that cannot be measured today costs no other its figures, nor itself those of before.
"""

from __future__ import annotations

import re
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tidemark.errors import ExitCode
from tidemark.host.killing import interrupted_by_kill
from tidemark.host.progress import Steps
from tools.bench.bringup import tidemark

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

TARGETS = ("embedded", "localstack")
"""What is published, one after the other."""


def page(begins: str, sections: Mapping[str, str], before: str, ends: str = "") -> str:
    """Return a page.

    Args:
        begins: What stands above the sections.
        sections: By target, what was measured now, as Markdown.
        before: The page as it was, of which the other sections are kept.
        ends: What stands below.
    """
    told = [begins.strip()]
    for target in TARGETS:
        section = sections.get(target) or _section(before, target) or "**Not measured yet.**"
        told.append(f"## {target}\n\n{section.strip()}")
    return "\n\n".join([*told, ends.strip()]).strip() + "\n"


def table(headings: list[str], rows: list[list[str]]) -> str:
    """Return a table in Markdown; all of its columns but the first are numbers."""
    lines = [headings, ["---", *("---:" for _ in headings[1:])], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


@contextmanager
def target_of_its_own() -> Iterator[Path]:
    """Yield a state folder for a target, which is stopped and removed in the end."""
    with tempfile.TemporaryDirectory(prefix="tidemark-") as folder:
        state = Path(folder)
        try:
            yield state
        finally:
            with Steps().step("what was started is stopped and removed"):
                tidemark("down", state=state)


def run(main: Callable[[], None]) -> None:
    """Run a program to its end; Ctrl-C and a kill end it in a sentence, with what it started."""
    try:
        with interrupted_by_kill():
            main()
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted; what was started is stopped and removed.\n")
        raise SystemExit(ExitCode.INTERRUPTED) from None


def _section(text: str, target: str) -> str | None:
    found = re.search(rf"^## {target}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    return None if found is None else found[1]
