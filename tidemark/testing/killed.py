"""What a session that was killed left on this machine: the next one stops and removes it.

A session's folder says which process it belongs to, until the session has removed what it made.
"""

from __future__ import annotations

import os
import shlex
import shutil
from typing import TYPE_CHECKING

from tidemark import targets
from tidemark.errors import TidemarkError
from tidemark.host import deployment
from tidemark.host.processes import ProcessIdentity, stop_forgotten
from tidemark.host.state import read_json, write_json
from tidemark.targets.base import TargetOptions

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from tidemark.host.deployment import Deployment

CHILDREN = "children"
"""The folder that knows a session's child processes while they run."""

EVIDENCE = "failed"
"""The folder with what there is to look at after a failure."""

_RECORD = "session.json"


def has_evidence(state: Path) -> bool:
    """Whether there is anything to look at in a session's folder."""
    return any(one.is_file() for one in (state / EVIDENCE).rglob("*"))


def remember(state: Path, target_name: str) -> None:
    """Note in a session's folder that it is this process's, and which target it may start.

    Args:
        state: The folder.
        target_name: The target.
    """
    me = ProcessIdentity.of(os.getpid())
    assert me is not None, "this process is alive"  # noqa: S101 -- it runs this line
    document = {"pid": me.pid, "started": me.started, "target": target_name}
    write_json(state / _RECORD, document)


def cleared(sessions: Path) -> Iterator[str]:
    """Stop and remove what sessions left whose process has ended.

    Args:
        sessions: The folder of all sessions' folders.

    Yields:
        What was stopped, and each stack that is left on a target of others, with the command
        that deletes it.
    """
    for record in sorted(sessions.glob(f"*/{_RECORD}")):
        known = read_json(record) or {}
        identity, target_name = ProcessIdentity.recorded_in(known), known.get("target")
        if identity is None or target_name is None:
            continue  # not a session's
        if not identity.is_alive:
            yield from _cleared(record.parent, str(target_name))


def _cleared(state: Path, target_name: str) -> Iterator[str]:
    stop_forgotten(state / CHILDREN)
    try:
        is_stopped = targets.create(target_name, TargetOptions(state=state)).stop()
    except TidemarkError as error:
        yield f"An earlier session was killed, and its target cannot be stopped: {error}"
        return
    if is_stopped:
        yield f"An earlier session was killed: its {target_name} target is stopped."
    left = stacks_left(state)
    for one in left:
        yield (
            f"An earlier session was killed: {one.stack_name} is left on {one.target}; to delete "
            f"it: {how_to_delete(state, one)}"
        )
    kept = [
        state / _RECORD,
        *(deployment.path_of(one.target, one.stack_name, state) for one in left),
    ]
    remove_all_but([state / EVIDENCE, *(kept if left else ())], state)


def stacks_left(state: Path) -> list[Deployment]:
    """The stacks on targets of others that a session noted and has not deleted."""
    return [one for one in deployment.known(state) if not targets.class_of(one.target).is_ours]


def how_to_delete(state: Path, stack: Deployment) -> str:
    """The command that deletes a stack that a session noted."""
    return (
        f"TIDEMARK_STATE_DIR={shlex.quote(str(state))} tidemark destroy "
        f"--target {stack.target} --stack-name {stack.stack_name}"
    )


def remove_all_but(kept: Collection[Path], folder: Path) -> None:
    """Remove what is in a folder but for some files and folders, and the folder if it is empty.

    Args:
        kept: What stays, with what is in it.
        folder: Where.
    """
    if not folder.is_dir():
        return
    for path in folder.iterdir():
        if path in kept:
            continue
        if (
            path.is_dir()
            and not path.is_symlink()
            and any(one.is_relative_to(path) for one in kept)
        ):
            remove_all_but(kept, path)
        elif path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    if not any(folder.iterdir()):
        folder.rmdir()
