"""A target that is started here is written down first, until it is stopped."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tidemark import targets
from tidemark.host import deployment
from tidemark.host.undo import Journal, Undo, Undone, undoer, uninterrupted
from tidemark.targets.base import TargetOptions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tidemark.targets.base import Target


@undoer
def stop(state: str, name: str) -> str | None:
    """Stop the target of that name, and forget what was on it."""
    was_there = targets.create(name, TargetOptions(state=Path(state))).stop()
    for path in deployment.paths(Path(state)):
        if path.name.partition(".")[0] == name:
            path.unlink(missing_ok=True)
    return f"The {name} target is stopped." if was_there else None


@contextmanager
def starting(target: Target) -> Iterator[None]:
    """Start a target in a block; one that fails to is stopped, and else runs on until undone."""
    state = target.options.state
    journal = Journal(state)
    begun = journal.begin(f"The {target.name} target", _undo(state, target.name))
    try:
        yield
    except BaseException as error:
        with uninterrupted():
            journal.undo([begun]).note_on(error)
        raise


def is_started(target: Target) -> bool:
    """Whether it was started in its state folder, and not stopped since."""
    state = target.options.state
    return bool(Journal(state).find(_undo(state, target.name)))


def stop_started(state: Path, name: str) -> Undone:
    """Stop the target of that name if it was started in a state folder, and cross it out."""
    journal = Journal(state)
    return journal.undo(journal.find(_undo(state, name)))


def _undo(state: Path, name: str) -> Undo:
    return partial(stop, state=str(state), name=name)
