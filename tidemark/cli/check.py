"""The verbs check and explain: judge a run that was written down, and say what an invariant is."""

from pathlib import Path
from types import ModuleType
from typing import Annotated

import typer

from tidemark.cli.options import AsJson
from tidemark.errors import TidemarkError

Run = Annotated[str | None, typer.Argument(help="A run's id or folder; the newest run without it.")]


def check(
    run: Run = None,
    *,
    only: Annotated[
        str | None, typer.Option(help="Invariants to judge, such as I4,I6; all without it.")
    ] = None,
    junit: Annotated[Path | None, typer.Option(help="A file for the verdict as JUnit XML.")] = None,
    as_json: AsJson = False,
) -> None:
    """Judge a run: does what it left behind agree with what a CQRS system must do?"""
    _judging().check(run, only=only, junit=junit, as_json=as_json)


def explain(
    identifier: Annotated[str, typer.Argument(metavar="ID", help="Such as I7.")],
) -> None:
    """Say what an invariant means, which evidence it needs, and how a counterexample is read."""
    _judging().explain(identifier)


def _judging() -> ModuleType:
    """What judges; it needs more than the other verbs do."""
    try:
        from tidemark.cli import judging  # noqa: PLC0415 -- with the extra `check` only
    except ImportError as error:
        raise TidemarkError(
            "Judging a run needs duckdb and pyarrow: `pip install 'tidemark-cqrs[check]'` brings "
            "them."
        ) from error
    return judging
