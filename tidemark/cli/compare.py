"""The verb compare: two runs side by side, and a failing exit for what became worse."""

from pathlib import Path
from typing import Annotated

import typer

from tidemark.cli.options import AsJson
from tidemark.errors import TidemarkError

_WHAT = "A run's id or folder, or a verdict.json that was kept"


def compare(
    before: Annotated[str, typer.Argument(metavar="A", help=f"{_WHAT}: the baseline.")],
    after: Annotated[
        str | None, typer.Argument(metavar="B", help=f"{_WHAT}; the newest run without it.")
    ] = None,
    *,
    threshold: Annotated[
        str, typer.Option(metavar="SHARE", help="How much worse is a regression, such as 10%.")
    ] = "10%",
    markdown: Annotated[
        Path | None, typer.Option(help="A file for the comparison as Markdown.")
    ] = None,
    html: Annotated[Path | None, typer.Option(help="A file for the comparison as a page.")] = None,
    as_json: AsJson = False,
) -> None:
    """Compare two load runs: two targets, two wirings, before and after a change.

    What differs by more than the runs themselves vary is beyond noise; what is worse by that and
    by the threshold is a regression, and ends with 2. A run that is violated ends with 1, one that
    is unknown with 3.
    """
    least = _share(threshold)
    try:
        from tidemark.cli import comparing  # noqa: PLC0415 -- with the extra `check` only
    except ImportError as error:
        raise TidemarkError(
            "Comparing runs needs duckdb and pyarrow: `pip install 'tidemark-cqrs[check]'` brings "
            "them."
        ) from error
    comparing.compare(before, after, threshold=least, markdown=markdown, html=html, as_json=as_json)


def _share(said: str) -> float:
    try:
        share = float(said.removesuffix("%")) / (100 if said.endswith("%") else 1)
    except ValueError:
        share = -1.0
    if not 0 <= share < float("inf"):
        raise typer.BadParameter(f"{said} is no share: say it like 10% or 0.1.")
    return share
