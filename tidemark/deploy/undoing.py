"""Undoing what was begun when bringing a stack up fails, whatever the reason."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from tidemark.aws import stacks
from tidemark.aws.clients import AwsClients
from tidemark.deploy.evidence import keep as keep_evidence
from tidemark.errors import InterruptedByUserError, RefusedError, TidemarkError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tidemark.host.processes import Children
    from tidemark.targets.base import Target

_LOOK_EVERY_S = 2.0
_INTERRUPTING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class DeployError(TidemarkError):
    """CloudFormation did not bring the stack where it was to be."""


@dataclass(frozen=True, slots=True)
class Undoing:
    """What has to be undone, and what to keep of it.

    Attributes:
        target: Where the stack was to be.
        children: The processes at work.
        evidence: The folder for what there is to look at.
        stack_names: Says what the stacks are called, as far as is known by then.
        undone_by: What removes later what cannot be removed at once.
        began_ms: When it was begun, UTC milliseconds.
    """

    target: Target
    children: Children
    evidence: Path
    stack_names: Callable[[], tuple[str, ...]]
    undone_by: str
    began_ms: int

    @contextmanager
    def on_failure(self, *, stop_target: bool) -> Iterator[None]:
        """Undo what the block has begun, if it fails; what was there before stays.

        Args:
            stop_target: Whether the target is to be stopped then: it did not run before.

        Raises:
            InterruptedByUserError: The user stopped it; the sentence says what goes on.
            TidemarkError: The target ended meanwhile.
        """
        try:
            yield
        except BaseException as error:
            with _uninterrupted():
                self.children.stop()
            how_ended = self._look(error)
            with _uninterrupted():
                self._clean_up(error, stop_target=stop_target, how_ended=how_ended)
            if isinstance(error, KeyboardInterrupt):
                raise InterruptedByUserError(self._interrupted(stop_target)) from None
            if how_ended is not None:
                ended = TidemarkError(
                    f"The {self.target.name} target ended meanwhile ({how_ended}) and its rest is "
                    "removed: try again, and it starts anew, empty."
                )
                self._note_evidence(ended)
                raise ended from error
            if isinstance(error, TidemarkError) and not isinstance(error, RefusedError):
                self._note_evidence(error)
            raise

    def _note_evidence(self, error: TidemarkError) -> None:
        """Say where there is something to look at, if there is."""
        if not self.evidence.is_dir():
            return
        if any(self.evidence.iterdir()):
            error.add_note(f"What there is to look at: {self.evidence}")
        else:
            self.evidence.rmdir()

    def _look(self, error: BaseException) -> str | None:
        """Keep what there is to look at, until the user has enough of it; say if the target ended.

        A Ctrl-C that comes now ends the looking alone.
        """
        how_ended = None
        try:
            if not isinstance(error, KeyboardInterrupt | RefusedError):
                how_ended = self.target.how_ended()
            # The watcher interrupts, too: then it is the end of the target that is looked at.
            if how_ended is not None or not isinstance(
                error, KeyboardInterrupt | InterruptedByUserError | RefusedError
            ):
                # Nothing can be kept on a full disk, or of a target that is silent, and everything
                # can be removed.
                with suppress(OSError, TidemarkError):
                    keep_evidence(
                        self.evidence,
                        self.target,
                        self.target.find(),
                        self.stack_names(),
                        since_ms=self.began_ms,
                    )
        except KeyboardInterrupt:
            error.add_note("Interrupted before all that there is to look at was kept.")
        return how_ended

    def _clean_up(self, error: BaseException, *, stop_target: bool, how_ended: str | None) -> None:
        """Remove what was begun."""
        try:
            if isinstance(error, DeployError) and not stop_target and how_ended is None:
                self._remove_what_never_was()
        finally:
            if stop_target or how_ended is not None:
                self._stop_target(error)

    def _stop_target(self, error: BaseException) -> None:
        try:
            self.target.stop()
        except TidemarkError as left:
            error.add_note(f"Something may be left running ({left}): {self.undone_by}.")

    def _remove_what_never_was(self) -> None:
        """Delete a stack whose creation failed: nothing is left of it but its name."""
        # What cannot be deleted now, the next deploy deletes: the failure is the news.
        with suppress(BotoCoreError, ClientError, TidemarkError):
            connection = self.target.find()
            if connection is None:
                return
            clients = AwsClients(connection)
            for name in self.stack_names():
                live = stacks.describe(clients, name)
                if live is not None and live.is_a_failed_creation:
                    stacks.delete(clients, name)

    def _interrupted(self, stop_target: bool) -> str:  # noqa: FBT001 -- what the caller was told
        if not self.target.is_ours:
            return (
                f"Interrupted; what CloudFormation has begun on {self.target.name}, it finishes "
                "by itself: `tidemark up` goes on from there."
            )
        left = "nothing of it is left running" if stop_target else "the target runs on"
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


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Finish cleaning up although the user presses Ctrl-C again."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread is ever interrupted
        return
    before = {one: signal.signal(one, signal.SIG_IGN) for one in _INTERRUPTING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
