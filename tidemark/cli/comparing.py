"""Comparing two runs on the command line: what is read, and what is printed."""

import json
from pathlib import Path

import typer

from tidemark.cli import tables
from tidemark.errors import EndedError, ExitCode, NotStartedError
from tidemark.history import runs
from tidemark.host.state import state_dir, write_text
from tidemark.measures.comparison import compare as differences_of
from tidemark.report import comparison_page, page
from tidemark.report.comparison import (
    HEADINGS,
    Comparison,
    Side,
    side_of_document,
    side_of_run,
)
from tidemark.workloads.bank_traffic import REFUSALS


def compare(
    before: str,
    after: str | None,
    *,
    threshold: float,
    markdown: Path | None,
    html: Path | None,
    as_json: bool,
) -> None:
    """Compare two runs, and print it.

    Args:
        before: A run's id or folder, or a file: the baseline.
        after: Another; the newest run without it.
        threshold: From which relative change on something worse is a regression.
        markdown: A file for the comparison as Markdown.
        html: A file for it as a page.
        as_json: Whether to print one JSON object.

    Raises:
        EndedError: Something is violated, unknown or worse.
        NotStartedError: There is no such run.
    """
    one, other = _side(before), _side(after)
    compared = Comparison(one, other, differences_of(one.measures, other.measures, threshold))
    for path, text in (
        (markdown, compared.as_markdown),
        (html, lambda: page.render(comparison_page.draw(compared))),
    ):
        if path is not None:
            _write(path, text())
    if as_json:
        typer.echo(json.dumps(compared.as_json(), indent=2))
    else:
        _show(compared)
    if compared.exit_code is not ExitCode.OK:
        raise EndedError(compared.exit_code)


def _write(path: Path, text: str) -> None:
    try:
        write_text(path, text)
    except OSError as error:
        raise NotStartedError(
            f"{path} cannot be written ({error.strerror}): name a file of a folder that is there."
        ) from error


def _side(name: str | None) -> Side:
    if name is not None and Path(name).is_file():
        return side_of_document(Path(name))
    return side_of_run(runs.find(state_dir(), name), REFUSALS)


def _show(compared: Comparison) -> None:
    typer.echo(f"before  {compared.before.run} ({compared.before.verdict})")
    typer.echo(f"after   {compared.after.run} ({compared.after.verdict})\n")
    drawn = tables.with_headings(*HEADINGS, right=HEADINGS[1:4])
    for row in compared.rows():
        drawn.add_row(*row)
    tables.show(drawn)
    for note in compared.notes():
        typer.echo(note)
    typer.echo(compared.conclusion)
