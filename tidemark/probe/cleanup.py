"""What was created is removed again, whatever happens in between."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError

from tidemark.errors import TidemarkError

if TYPE_CHECKING:
    from collections.abc import Callable


NO_ANSWER = "the target does not answer"
_ABSENT = ("NotFound", "NonExistent", "NoSuchEntity", "404")


class EndedRowError(Exception):
    """The row has ended, or was given up: it is to make and wait for nothing more."""


class Leftovers:
    """What has to be removed, last made first; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pending: list[tuple[str, Callable[[], object]]] = []
        self._is_closed = False

    @property
    def is_closed(self) -> bool:
        """Whether nothing may be made any more."""
        return self._is_closed

    def close(self) -> None:
        """Let nothing be made any more."""
        with self._lock:
            self._is_closed = True

    def owe(self, what: str, remove: Callable[[], object]) -> None:
        """Remember how to remove something, before it is made.

        Args:
            what: What it is, as a person would look for it.
            remove: Removes it; may fail when it was never made.

        Raises:
            EndedRowError: Nothing may be made any more.
        """
        with self._lock:
            if self._is_closed:
                raise EndedRowError(f"{what} would be made after the row has ended")
            self._pending.append((what, remove))

    def owe_made(self, what: str, remove: Callable[[], object]) -> None:
        """Remember how to remove something whose name is known only once it is made.

        Args:
            what: What it is, as a person would look for it.
            remove: Removes it.

        Raises:
            EndedRowError: Nothing may be made any more; it is removed again.
        """
        try:
            self.owe(what, remove)
        except EndedRowError:
            remove()
            raise

    def remove(self) -> list[str]:
        """Remove everything, and say what could not be removed and why."""
        with self._lock:
            self._is_closed = True
            pending, self._pending = self._pending[::-1], []
        said: list[str] = []
        for number, (what, remove) in enumerate(pending):
            try:
                failure = _failure(what, remove)
            except EndpointConnectionError:
                return [*said, *(f"{one}: {NO_ANSWER}" for one, _ in pending[number:])]
            if failure:
                said.append(failure)
        return said


def is_absent(error: ClientError) -> bool:
    """Whether a service says that what it was asked about does not exist."""
    said = error.response["Error"]
    return any(word in said["Code"] for word in _ABSENT) or "does not exist" in said.get(
        "Message", ""
    )


def _failure(what: str, remove: Callable[[], object]) -> str | None:
    try:
        remove()
    except EndpointConnectionError:
        raise
    except ClientError as error:
        # What was never made is not there to be removed.
        return None if is_absent(error) else f"{what}: {error.response['Error']['Code']}"
    except (BotoCoreError, TidemarkError) as error:
        return f"{what}: {error}"
    return None
