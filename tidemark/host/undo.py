"""The undo journal: what is begun is written down first, with how it is undone.

Whatever would outlive a process that is killed (a process, a target, a stack, a broken setting)
is one small file in `undo/` of the state folder: written before it is begun, removed when it is
undone. The end of a block, a failure, Ctrl-C, `tidemark down` and the run after a kill all take
the same way. Who holds the lock of a state folder owns its journal: what is in it by then, and
not meant to stay, was left by a run that was killed.
"""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import signal
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

from tidemark.errors import TidemarkError
from tidemark.host.state import STATE_DIR_VARIABLE, read_json, write_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

_FOLDER = "undo"
_INTERRUPTING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_OURS = "tidemark."
_UNDOERS: dict[str, Callable[..., str | None]] = {}

_Undoer = TypeVar("_Undoer", bound="Callable[..., str | None]")
Undo = partial[Any]
"""An undoer with its parameters by keyword: plain values, as JSON has them."""


def undoer(function: _Undoer) -> _Undoer:
    """Mark a function as one that undoes something, as its parameters say.

    It takes plain values by keyword, does nothing where nothing is left, says in a sentence what
    it undid (or ``None``, if that is not worth a word), and raises where something stays.
    """
    _UNDOERS[_name_of(function)] = function
    return function


@dataclass(frozen=True, slots=True)
class Begun:
    """One thing that was begun and is to be undone.

    Attributes:
        what: What it is, as it completes "... is left".
        undoer: The function that undoes it, as `module:name`.
        parameters: What that function is to know.
        remedy: The command that removes it.
        pid: The process that began it, for a person who looks.
        begun_ns: When, in nanoseconds since the epoch: what came last is undone first.
        is_kept: Whether it is meant to outlive the run that began it.
        why: Why it could not be undone, if that was tried.
    """

    what: str
    undoer: str
    parameters: Mapping[str, Any]
    remedy: str
    pid: int
    begun_ns: int
    is_kept: bool = False
    why: str | None = None

    @property
    def file_name(self) -> str:
        """The same for the same thing, however often it is begun."""
        thing = json.dumps([self.undoer, self.parameters], sort_keys=True)
        return f"{hashlib.sha256(thing.encode()).hexdigest()[:16]}.json"

    def is_undone_by(self, undoer: Callable[..., Any]) -> bool:
        """Whether it is this function that undoes it."""
        return self.undoer == _name_of(undoer)

    @property
    def left(self) -> str:
        """That it is left, why, and how to remove it."""
        why = "" if self.why is None else f" ({self.why.rstrip('.')})"
        return f"{self.what} is left{why}; to remove it: {self.remedy}"


@dataclass(frozen=True, slots=True)
class Undone:
    """What came of undoing: a sentence for each thing that is undone, and for each that is left."""

    done: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    def note_on(self, error: BaseException) -> None:
        """Note on an error what is left."""
        for sentence in self.left:
            error.add_note(sentence)


class Journal:
    """What was begun in a state folder and is not undone yet.

    Args:
        state: The state folder.
    """

    def __init__(self, state: Path) -> None:
        self.state = state
        self._folder = state / _FOLDER

    def begin(self, what: str, undo: Undo, *, remedy: str | None = None) -> Begun:
        """Write down what is about to be begun.

        Args:
            what: What it is, as it completes "... is left".
            undo: How it is undone.
            remedy: The command that removes it; `tidemark down` for this state folder if absent.
        """
        assert _name_of(undo.func) in _UNDOERS, undo.func  # noqa: S101 -- a bug of the caller's
        assert not undo.args, "a parameter has a name"  # noqa: S101 -- likewise
        remedy = remedy or f"{STATE_DIR_VARIABLE}={shlex.quote(str(self.state))} tidemark down"
        name, now_ns = _name_of(undo.func), time.time_ns()
        begun = Begun(what, name, undo.keywords, remedy, os.getpid(), now_ns)
        self._write(begun)
        return begun

    @contextmanager
    def begun(self, what: str, undo: Undo, *, remedy: str | None = None) -> Iterator[None]:
        """Begin something in a block and undo it when that ends, however it does.

        Raises:
            TidemarkError: It cannot be undone; it stays written down.
        """
        begun = self.begin(what, undo, remedy=remedy)
        try:
            yield
        except BaseException as error:
            self.undo([begun]).note_on(error)
            raise
        if left := self.undo([begun]).left:
            raise TidemarkError("\n".join(left))

    def entries(self) -> list[Begun]:
        """What is to be undone, the latest first."""
        begun = filter(None, map(_read, self._folder.glob("*.json")))
        return sorted(begun, key=lambda one: one.begun_ns, reverse=True)

    def keep(self) -> None:
        """Let what was begun outlive this run, until `undo` is told of it."""
        for one in self.abandoned():
            self._write(replace(one, is_kept=True))

    def heal(self) -> Undone:
        """Undo what a killed run left; the caller holds the lock."""
        return self.undo(self.abandoned())

    def abandoned(self) -> list[Begun]:
        """What is not meant to outlive a run: with the lock at hand, what a killed one left."""
        return [one for one in self.entries() if not one.is_kept]

    def find(self, undo: Undo) -> list[Begun]:
        """What is undone in that way: one thing, or none."""
        entries = (one for one in self.entries() if one.is_undone_by(undo.func))
        return [one for one in entries if one.parameters == undo.keywords]

    def forget(self, begun: Begun) -> None:
        """Cross something out that was not begun after all."""
        (self._folder / begun.file_name).unlink(missing_ok=True)

    def undo(self, entries: Iterable[Begun] | None = None) -> Undone:
        """Undo things, the latest first, by default all that are written down.

        One that cannot be undone stays written down and keeps no other from it.
        """
        undone = Undone()
        for one in self.entries() if entries is None else entries:
            try:
                said = _find(one.undoer)(**one.parameters)
            except Exception as error:  # noqa: BLE001 -- nothing is lost: it is said, and stays written down
                failed = replace(one, why=_reason(error))
                undone.left.append(failed.left)
                with suppress(OSError):  # on a full disk, the sentence is all there is
                    self._write(failed)
                continue
            self.forget(one)
            if said is not None:
                undone.done.append(said)
        return undone

    def _write(self, begun: Begun) -> None:
        write_json(self._folder / begun.file_name, asdict(begun))


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Finish a block although the user presses Ctrl-C again."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread is ever interrupted
        return
    before = {one: signal.signal(one, signal.SIG_IGN) for one in _INTERRUPTING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _read(path: Path) -> Begun | None:
    """What is written in a file; ``None`` if it is undone meanwhile, by another process.

    Raises:
        TidemarkError: It is nothing that this version wrote.
    """
    try:
        document = read_json(path)
        return None if document is None else Begun(**document)
    except TypeError as error:
        raise TidemarkError(f"{path} is of another version of Tidemark: delete it.") from error


def _name_of(function: Callable[..., Any]) -> str:
    return f"{function.__module__}:{function.__qualname__}"


def _find(name: str) -> Callable[..., str | None]:
    """The undoer of that name; the module that has it is imported, if it is one of ours."""
    if name not in _UNDOERS and name.startswith(_OURS):
        import_module(name.partition(":")[0])
    return _UNDOERS[name]


def _reason(error: Exception) -> str:
    from tidemark.host import failures  # noqa: PLC0415 -- what goes well needs nothing of AWS

    known = failures.known(error)
    return repr(error) if known is None else " ".join(failures.lines(known))
