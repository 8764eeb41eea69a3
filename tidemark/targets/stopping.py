"""A target that is started here is written down first, until it is stopped."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tidemark import targets
from tidemark.host.undo import Journal, undoer
from tidemark.targets.base import TargetOptions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tidemark.targets.base import Target


@undoer
def stop(state: str, name: str) -> str | None:
    """Stop the target of that name, as far as its state folder knows of it."""
    was_there = targets.create(name, TargetOptions(state=Path(state))).stop()
    return f"The {name} target is stopped." if was_there else None


@contextmanager
def starting(target: Target) -> Iterator[None]:
    """Start a target in a block; one that fails to is stopped, and else runs on until undone."""
    state = target.options.state
    journal = Journal(state)
    with journal.undone_on_failure():
        journal.begin(
            f"The {target.name} target", partial(stop, state=str(state), name=target.name)
        )
        yield
