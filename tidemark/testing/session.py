"""The folder of a test session: whose it is, what is undone at its end, and what stays in it.

It has a lock for as long as the session has not ended well: one that nobody holds was left by a
session that was killed.
"""

from __future__ import annotations

from contextlib import nullcontext, suppress
from typing import TYPE_CHECKING

from tidemark.errors import NotStartedError
from tidemark.host import processes
from tidemark.host.locking import LOCK, locked
from tidemark.host.undo import Journal

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

SESSIONS = "pytest"
"""The folder of all sessions' folders, in the state folder."""

EVIDENCE = "failed"
"""The folder with what there is to look at after a failure."""


def heal(state: Path, *, is_held: bool = False) -> Iterator[str]:
    """Undo what runs left that were killed, verbs and sessions, if nobody is at work there now.

    Args:
        state: The state folder.
        is_held: Whether the caller holds its lock.

    Yields:
        What is undone, and what is left with the command that removes it.
    """
    sessions = [one.parent for one in sorted((state / SESSIONS).glob(f"*/{LOCK}"))]
    for folder in [state, *sessions] if Journal(state).abandoned() else sessions:
        try:
            with nullcontext() if is_held and folder == state else locked(folder):
                undone = Journal(folder).heal()
                if folder != state:
                    clear(folder)
        except NotStartedError:
            continue  # somebody is at work there
        for sentence in (*undone.done, *undone.left):
            yield f"An earlier run was killed. {sentence}"


def clear(folder: Path, *, kept: Collection[Path] = ()) -> None:
    """Remove what is in a session's folder but for evidence and what is still to be undone.

    Args:
        folder: The folder, which goes too when it is empty, with those that it is in.
        kept: Files that stay as well.
    """
    if Journal(folder).entries():
        return  # they need what is recorded beside them
    kept = [*kept, *([folder / EVIDENCE] if has_evidence(folder) else [])]
    # What is in a folder comes before it; what cannot be removed stays, and nothing hangs on it.
    for path in sorted(folder.rglob("*"), reverse=True):
        if any(path.is_relative_to(one) for one in kept):
            continue
        with suppress(OSError):
            path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
    with suppress(OSError):
        folder.rmdir()
        if folder.parent.name == SESSIONS:
            folder.parent.rmdir()
            folder.parent.parent.rmdir()


def stop_processes(folder: Path) -> None:
    """Stop what a process of the session waits for, such as a deploy."""
    journal = Journal(folder)
    children = [one for one in journal.entries() if one.is_undone_by(processes.undo)]
    journal.undo(children)


def is_unused(folder: Path) -> bool:
    """Whether nothing was begun in a session's folder."""
    return [one.name for one in folder.iterdir()] == [LOCK]


def has_evidence(folder: Path) -> bool:
    """Whether there is anything to look at in a session's folder."""
    return any(one.is_file() for one in (folder / EVIDENCE).rglob("*"))
