"""The verb report: draw a run that was written down."""

import webbrowser
from typing import Annotated

import typer

from tidemark.cli.check import Run
from tidemark.errors import TidemarkError
from tidemark.history import runs
from tidemark.host.state import state_dir


def report(
    run: Run = None,
    *,
    opens: Annotated[bool, typer.Option("--open", help="Open the page in a browser.")] = False,
) -> None:
    """Draw a run: report.html and summary.md in its folder, from its verdict and its tables."""
    try:
        from tidemark.history.folder import RunFolder  # noqa: PLC0415 -- with the extra `check`
        from tidemark.report import run_page  # noqa: PLC0415 -- likewise
    except ImportError as error:
        raise TidemarkError(
            "Drawing a run needs duckdb, pyarrow and jinja2: `pip install "
            "'tidemark-cqrs[check]'` brings them."
        ) from error
    folder = RunFolder.open(runs.find(state_dir(), run))
    try:
        path = run_page.write(folder)
    except OSError as error:
        raise TidemarkError(
            f"{folder.path} cannot be written to ({error.strerror}): copy the run to a folder "
            "that is yours."
        ) from error
    typer.echo(str(path))
    if opens and not webbrowser.open(path.resolve().as_uri()):
        # The page is there: that nobody can look at it here is no fault of the run.
        typer.echo(
            "No browser could be started here: open the file above in one, on any machine; it "
            "needs nothing besides itself.",
            err=True,
        )
