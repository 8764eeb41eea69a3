"""Consent on the command line: a question on a terminal, or `--yes`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import typer

from tidemark.errors import InterruptedByUserError, NotStartedError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tidemark.deploy.consent import Consent
    from tidemark.targets.base import Target


def for_target(target: type[Target], *, is_given: bool) -> Consent:
    """How a verb asks before it changes something on a target.

    Raises:
        NotStartedError: The target asks first, nobody is there to answer, and `--yes` is not said.
    """
    if target.asks_first and not is_given and not sys.stdin.isatty():
        raise NotStartedError(
            f"The {target.name} target asks before it changes anything, and this is not a "
            "terminal: say --yes."
        )
    return _given if is_given else _asked


def for_cost(shown: Iterable[str], question: str, *, is_given: bool) -> None:
    """Show what something costs, and ask whether it may.

    Raises:
        NotStartedError: The answer is no, or nobody is there to answer and `--yes` is not said.
    """
    if not is_given and not sys.stdin.isatty():
        _show(shown)
        raise NotStartedError(f"{question} This is not a terminal: say --yes.")
    (_given if is_given else _asked)(shown, question)


def _given(shown: Iterable[str], question: str) -> None:
    _show(shown)
    typer.echo(f"{question} Yes, by --yes.", err=True)


def _asked(shown: Iterable[str], question: str) -> None:
    _show(shown)
    try:
        agreed = typer.confirm(question, err=True)
    except typer.Abort:
        raise InterruptedByUserError("Interrupted; nothing was changed.") from None
    if not agreed:
        raise NotStartedError("Nothing was changed.")


def _show(shown: Iterable[str]) -> None:
    for line in shown:
        typer.echo(line, err=True)
    typer.echo("", err=True)
