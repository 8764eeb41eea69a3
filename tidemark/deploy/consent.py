"""Consent: what would change is shown, and somebody agrees or does not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from tidemark.errors import NotStartedError

if TYPE_CHECKING:
    from collections.abc import Iterable


class Consent(Protocol):
    """Shows lines, asks a question, and returns when the answer is yes."""

    def __call__(self, shown: Iterable[str], question: str) -> None:
        """Ask.

        Raises:
            NotStartedError: The answer is no, or there is nobody to ask.
        """


def nobody(shown: Iterable[str], question: str) -> None:  # noqa: ARG001 -- there is nobody to show it to
    """The consent of a caller who said nothing about it: none.

    Raises:
        NotStartedError: Always.
    """
    raise NotStartedError(
        "This wants consent and there is nobody to ask: say --yes, or do it by hand."
    )
