"""A deploy that fails leaves what there is to look at, and nothing that did not run before."""

from __future__ import annotations

import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from tidemark.aws import stacks
from tidemark.aws.clients import AwsClients
from tidemark.deploy.evidence import keep as keep_evidence
from tidemark.errors import InterruptedByUserError, NotStartedError, TidemarkError
from tidemark.host.undo import uninterrupted
from tidemark.targets.stopping import is_started, stop_started

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tidemark.aws.connection import Connection
    from tidemark.host.processes import Children
    from tidemark.targets.base import Target

_LOOK_EVERY_S = 2.0


class DeployError(TidemarkError):
    """CloudFormation did not bring the stack where it was to be."""


@dataclass(frozen=True, slots=True)
class Undoing:
    """What has to be undone, and what to keep of it.

    Attributes:
        target: Where the stacks were to be.
        state: The state folder, whose journal has what is begun.
        children: The processes at work.
        evidence: The folder for what there is to look at.
        stack_names: Says what the stacks are called, as far as is known by then.
        began_ms: When it was begun, UTC milliseconds.
        says_where: Whether an error says where that folder is; if not, somebody does later.
    """

    target: Target
    state: Path
    children: Children
    evidence: Path
    stack_names: Callable[[], tuple[str, ...]]
    began_ms: int
    says_where: bool = True

    @contextmanager
    def on_failure(self) -> Iterator[None]:
        """Undo what the block has begun, if it fails; what was there before stays.

        Raises:
            InterruptedByUserError: The user stopped it; the sentence says what goes on.
            TidemarkError: The target ended meanwhile.
        """
        starts_it = self.target.is_ours and not is_started(self.target)
        try:
            yield
        except BaseException as error:
            with uninterrupted():
                self.children.stop()
            how_ended = self._look(error)
            failure = error if how_ended is None else self._end_of_target(how_ended)
            with uninterrupted():
                if starts_it or how_ended is not None:
                    stop_started(self.state, self.target.name).note_on(failure)
                elif isinstance(error, DeployError):
                    self._remove_what_never_was()
            if isinstance(error, KeyboardInterrupt):
                raise InterruptedByUserError(self._interrupted(starts_it)) from None
            if failure is not error:
                raise failure from error
            raise

    def _look(self, error: BaseException) -> str | None:
        """Keep what there is to look at, until the user has enough of it; say if the target ended.

        A Ctrl-C that comes now ends the looking alone.
        """
        if isinstance(error, KeyboardInterrupt | NotStartedError):
            return None
        how_ended = None
        try:
            how_ended = self.target.how_ended()
            # The watcher interrupts, too: then it is the end of the target that is looked at.
            if how_ended is None and isinstance(error, InterruptedByUserError):
                return None
            # Nothing can be kept on a full disk, and everything can be removed.
            with suppress(OSError):
                names, found = self.stack_names(), self._reach()
                keep_evidence(self.evidence, self.target, found, names, since_ms=self.began_ms)
        except KeyboardInterrupt:
            error.add_note("Interrupted before all that there is to look at was kept.")
        if isinstance(error, TidemarkError):
            self._note_evidence(error)
        return how_ended

    def _end_of_target(self, how_ended: str) -> TidemarkError:
        """The error that the target has ended, whose rest is removed."""
        ended = TidemarkError(
            f"The {self.target.name} target ended meanwhile ({how_ended}) and its rest is removed: "
            "try again, and it starts anew, empty."
        )
        self._note_evidence(ended)
        return ended

    def _note_evidence(self, error: TidemarkError) -> None:
        """Say where there is something to look at, if there is."""
        if not self.evidence.is_dir():
            return
        if any(self.evidence.iterdir()) and self.says_where:
            error.add_note(f"What there is to look at: {self.evidence}")
        with suppress(OSError):
            self.evidence.rmdir()  # if there is nothing in it

    def _remove_what_never_was(self) -> None:
        """Delete stacks whose creation failed: nothing is left of them but their names."""
        # What cannot be deleted now, the next deploy deletes: the failure is the news.
        with suppress(BotoCoreError, ClientError, TidemarkError):
            if (connection := self._reach()) is None:
                return
            clients = AwsClients(connection)
            for name in self.stack_names():
                live = stacks.describe(clients, name)
                if live is not None and live.is_a_failed_creation:
                    stacks.delete(clients, name)

    def _reach(self) -> Connection | None:
        try:
            return self.target.find()
        except TidemarkError:  # the failure that led here is the news
            return None

    def _interrupted(self, starts_it: bool) -> str:  # noqa: FBT001 -- what was asked before
        if not self.target.is_ours:
            return (
                f"Interrupted; what CloudFormation has begun on {self.target.name}, it finishes "
                "by itself: `tidemark up` goes on from there."
            )
        left = "nothing of it is left running" if starts_it else "the target runs on"
        return f"Interrupted; {left}."


@contextmanager
def stopped_with(target: Target, children: Children) -> Iterator[None]:
    """Stop the CDK when the target ends: by itself it would go on asking for a minute."""
    is_over = threading.Event()

    def watch() -> None:
        while not is_over.wait(_LOOK_EVERY_S):
            if target.how_ended() is not None:
                children.stop()
                return

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        is_over.set()
        watcher.join()
