"""Waiting for a condition, with a deadline: the only place that sleeps."""

from __future__ import annotations

import dis
import inspect
import time
from contextvars import ContextVar
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from tidemark.errors import TidemarkError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType

T = TypeVar("T")

DEFAULT_WITHIN_S = 30.0
_FIRST_PAUSE_S = 0.01
_LONGEST_PAUSE_S = 0.25
_GROWTH = 1.5
_LAMBDA = "<lambda>"

_is_looking = ContextVar("is_looking", default=False)


def is_looking() -> bool:
    """Whether this is within a probe of :func:`eventually`, which asks until it sees."""
    return _is_looking.get()


class NotYetError(Exception):
    """Raised by a probe to say what it saw instead of what is waited for."""


class NotSeenError(TidemarkError, AssertionError):
    """The deadline passed first. An assertion error too, so that a test reads as failed."""


def eventually(
    probe: Callable[[], T | None],
    *,
    within_s: float = DEFAULT_WITHIN_S,
    what: str | None = None,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> T:
    """Call a probe until what it looks for is there, and return what it returned.

    The probe is called at least once, and once more when the deadline has just passed, so
    that a slow machine does not turn a condition that holds into a failure.

    Args:
        probe: Looks. It may return what is waited for, and ``None`` or ``False`` while that is
            not there; or return nothing at all, and fail an ``assert`` while it is not there.
            Either may raise :class:`NotYetError` or ``AssertionError`` with what it saw.
        within_s: How long to wait, in seconds.
        what: What is waited for, as it completes "waited 5 s for ..."; by default what the
            probe's docstring or name says.
        clock: Monotonic time in seconds.
        sleep: Pauses for so many seconds.

    Raises:
        NotSeenError: The deadline passed; the message says what was last seen.
    """
    deadline = clock() + within_s
    pause_s = _FIRST_PAUSE_S
    only_asserts = _returns_nothing(probe)
    while True:
        is_last = clock() >= deadline
        seen, cause = "nothing", None
        looking = _is_looking.set(True)
        try:
            found = probe()
        except (NotYetError, AssertionError) as not_yet:
            seen, cause = str(not_yet) or type(not_yet).__name__, not_yet
        else:
            if only_asserts or (found is not None and found is not False):
                return found  # type: ignore[return-value]  # None is what T is for a probe of asserts
        finally:
            _is_looking.reset(looking)
        if is_last:
            waited = f"Waited {within_s:g} s for {what or _describe(probe)}"
            raise NotSeenError(f"{waited}; last seen: {seen}.") from cause
        sleep(max(0.0, min(pause_s, deadline - clock())))
        pause_s = min(pause_s * _GROWTH, _LONGEST_PAUSE_S)


def _returns_nothing(probe: Callable[[], object]) -> bool:
    """Whether a probe has no `return` with a value, so that its end says that all is well."""
    code = _code_of(probe)
    if code is None or code.co_name == _LAMBDA:
        return False
    # Told from its code, for the `None` of `return table.get(key)` is what is not there yet.
    returned = [
        (one, one) if one.opname == "RETURN_CONST" else (before, one)
        for before, one in pairwise(dis.get_instructions(code))
        if one.opname in {"RETURN_CONST", "RETURN_VALUE"}
    ]
    return all(
        value.opname in {"LOAD_CONST", "RETURN_CONST"}
        and value.argval is None
        # Of `return found or None`, another way leads to the end with another value.
        and not (one is not value and one.is_jump_target)
        for value, one in returned
    )


def _describe(probe: Callable[[], object]) -> str:
    """What a probe looks for, as far as it says."""
    code = _code_of(probe)
    if code is None:
        return repr(probe)
    if code.co_name == _LAMBDA:
        return f"the lambda at {Path(code.co_filename).name}:{code.co_firstlineno}"
    said = inspect.getdoc(probe) or code.co_name.strip("_").replace("_", " ")
    return said.splitlines()[0].rstrip(".")


def _code_of(probe: Callable[[], object]) -> CodeType | None:
    return getattr(inspect.unwrap(probe), "__code__", None)
