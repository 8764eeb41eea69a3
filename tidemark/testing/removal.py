"""What a session removes at its end, and what it says of what it could not remove."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from tidemark.aws import stacks
from tidemark.aws.clients import AwsClients
from tidemark.deploy.outputs import place_of
from tidemark.host import deployment as deployments
from tidemark.host import failures
from tidemark.testing import killed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tidemark.aws.connection import Connection
    from tidemark.errors import TidemarkError
    from tidemark.host.deployment import Deployment
    from tidemark.targets.base import Target


class Removal:
    """Removes a session's stacks, its target if that is its own, and what is in its folder.

    Args:
        state: The session's folder.
        target: Where its stacks are.
        reach: Returns how to reach the target, or raises why it cannot be reached.
    """

    def __init__(self, state: Path, target: Target, reach: Callable[[], Connection]) -> None:
        self._state = state
        self._target = target
        self._reach = reach
        # What was said of deploys that failed.
        self._said: list[str] = []
        # Why what is left could not be removed, by stack; that of the target by its name.
        self._reasons: dict[str, str] = {}

    def note(self, stack_name: str) -> Path:
        """Record a stack before it is begun: however the session ends, it can be deleted.

        Returns:
            The record, which is to be removed if nothing is begun after all.
        """
        return place_of(self._target, self._reach(), stack_name).save(self._state)

    def spare_what_is_named_in(self, error: TidemarkError) -> None:
        """Keep the logs that the sentence of a failed deploy points to."""
        self._said += failures.lines(error)

    def run(self) -> None:
        """Remove all that the session made; what cannot be removed, `left` names."""
        try:
            self._delete_stacks()
        finally:
            self._stop_target()
            self._clear_folder()

    @property
    def left(self) -> list[str]:
        """What could not be removed: why, and the command that does."""
        sentences = []
        for one in killed.stacks_left(self._state):
            why = self._reasons.get(one.stack_name, "the session was stopped before it was gone")
            sentences.append(
                f"{one.stack_name} is left on {one.target} ({why.rstrip('.')}); to delete it: "
                f"{killed.how_to_delete(self._state, one)}"
            )
        if self._target.name in self._reasons:
            sentences.append(self._reasons[self._target.name])
        return sentences

    @property
    def commands(self) -> list[str]:
        """The commands that remove what is kept."""
        if not self._target.is_ours:
            noted = killed.stacks_left(self._state)
            return [killed.how_to_delete(self._state, one) for one in noted]
        if self._target.find() is None:
            return []
        return [f"TIDEMARK_STATE_DIR={shlex.quote(str(self._state))} tidemark down"]

    def _delete_stacks(self) -> None:
        for one in killed.stacks_left(self._state):
            try:
                stacks.delete(AwsClients(self._reach()), one.stack_name)
            except Exception as error:  # noqa: BLE001 -- nothing is lost: it is said, and the others are tried
                self._reasons[one.stack_name] = _sentence(error)
            else:
                self._record_of(one).unlink()

    def _stop_target(self) -> None:
        try:
            self._target.stop()
        except Exception as error:  # noqa: BLE001 -- nothing is lost: it is said, and the rest is removed
            self._reasons[self._target.name] = _sentence(error)

    def _clear_folder(self) -> None:
        logs = [one for one in self._state.glob("*/*.log") if str(one) in " ".join(self._said)]
        noted = [self._record_of(one) for one in killed.stacks_left(self._state)]
        evidence = [self._state / killed.EVIDENCE] if killed.has_evidence(self._state) else []
        killed.remove_all_but([*evidence, *logs, *noted], self._state)

    def _record_of(self, stack: Deployment) -> Path:
        return deployments.path_of(stack.target, stack.stack_name, self._state)


def _sentence(error: Exception) -> str:
    known = failures.known(error)
    return repr(error) if known is None else " ".join(failures.lines(known))
