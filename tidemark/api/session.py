"""Who calls: the processes of a run, and the sessions of each."""

from __future__ import annotations

import itertools
import re
import secrets
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

# What an account id and an idempotency key may both hold, without the dot between the names.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_~-]*")


def is_name(text: object) -> bool:
    """Whether a run, a writer or a session can be called so: ids and keys begin with it."""
    return isinstance(text, str) and _NAME.fullmatch(text) is not None


def new_run_id() -> str:
    """Return a name for a run that sorts by time and that no other run has."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"


class Writer:
    """One process of a run, by a name that no other process of the run ever has.

    Args:
        run_id: The run, whose name all its ids and keys begin with.
        name: The process.
    """

    def __init__(self, run_id: str, name: str) -> None:
        self.run_id = _checked(run_id)
        self.name = _checked(name)
        self._sessions: dict[str, Session] = {}

    def session(self, name: str) -> Session:
        """Return the session of this name, always the same one."""
        return self._sessions.setdefault(name, Session(self, name))


class Session:
    """One caller, whose calls come one after the other: a person, a test, a thread.

    Args:
        writer: The process that it is in.
        name: What it is called there.
    """

    def __init__(self, writer: Writer, name: str) -> None:
        self.writer = writer
        self.name = _checked(name)
        self._sequence = itertools.count(1)
        # Who calls takes it; a lock would be one more of gevent's where that is, and slow.
        self._turn = [None]

    @property
    def prefix(self) -> str:
        """What the ids and keys of this session begin with: `<run>.<writer>.<session>`."""
        return f"{self.writer.run_id}.{self.writer.name}.{self.name}"

    def calling(self) -> AbstractContextManager[int]:
        """Make a call of the session, in a `with` that has its place in their sequence, from 1.

        Raises:
            RuntimeError: Another call of the session is under way.
        """
        return self

    def __enter__(self) -> int:
        try:
            self._turn.pop()  # by one thread alone, as all that one instruction does
        except IndexError:
            raise RuntimeError(
                f"Two calls of the session {self.name} at once: give each caller, such as a "
                "thread, a client of its own with client.for_session(name)."
            ) from None
        return next(self._sequence)

    def __exit__(self, *_: object) -> None:
        self._turn.append(None)


def _checked(name: str) -> str:
    if not is_name(name):
        raise ValueError(f"{name!r} cannot begin ids and keys: letters, digits, _, ~ and - can.")
    return name
