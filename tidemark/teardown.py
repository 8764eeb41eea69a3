"""Taking down: stacks deleted, targets stopped, records removed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError

from tidemark import deployment, stacks, targets
from tidemark.aws import Clients
from tidemark.errors import TidemarkError
from tidemark.targets.base import TargetOptions

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tidemark.deployment import Deployment


def down(state: Path, target_name: str | None = None) -> Iterator[str]:
    """Take down all that `up` started, or what it started on one target.

    Yields:
        A line for each thing that is gone.
    """
    names = [target_name] if target_name is not None else list(targets.NAMES)
    recorded = [one for one in deployment.recorded(state) if one.target in names]
    found_any = False
    for one in recorded:
        if not targets.of_deployment(one).is_ours:
            found_any = True
            yield destroy(state, one)
    for name in names:
        if targets.create(name, TargetOptions(state=state)).stop():
            found_any = True
            yield f"The {name} target is stopped."
    for path in deployment.paths(state):
        if path.name.partition(".")[0] in names:
            path.unlink(missing_ok=True)
    if not found_any:
        yield "Nothing was running."


def destroy(state: Path, recorded: Deployment) -> str:
    """Delete a recorded deployment's stack and forget it; say what happened.

    Raises:
        TidemarkError: The stack cannot be deleted.
    """
    where = f"{recorded.stack_name} on {recorded.endpoint or recorded.target}"
    target = targets.of_deployment(recorded)
    if target.find() is None:
        if target.is_ours:
            raise TidemarkError(f"The {target.name} target does not answer: run `tidemark up`.")
        outcome = f"{where} is forgotten: nothing answers there."
    else:
        try:
            was_there = stacks.delete(Clients.of(recorded), recorded.stack_name)
        except BotoCoreError as error:
            raise TidemarkError(f"{where} cannot be deleted: {error}.") from error
        outcome = f"{where} is deleted." if was_there else f"{where} was gone already."
    deployment.path_of(recorded.target, recorded.stack_name, state).unlink(missing_ok=True)
    return outcome
