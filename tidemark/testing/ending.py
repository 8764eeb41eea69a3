"""How a test session ends before its tests do, so that what it made is removed all the same."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

import pytest

from tidemark.errors import InterruptedByUserError

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def ending(config: pytest.Config) -> Iterator[None]:
    """Show progress, and end the session with a sentence where what it runs on fails."""
    from tidemark.host import failures  # noqa: PLC0415 -- sessions without a deployment stay quick

    try:
        with shown(config):
            yield
    except InterruptedByUserError as interrupted:
        raise KeyboardInterrupt(str(interrupted)) from None
    except Exception as error:
        known = failures.known(error)
        if known is None:
            raise
        sentence = "\n".join(failures.lines(known))
        if hasattr(config, "workerinput"):
            pytest.fail(sentence, pytrace=False)  # a worker that exits is replaced by another
        pytest.exit(sentence, returncode=known.exit_code)


@contextmanager
def shown(config: pytest.Config) -> Iterator[None]:
    """Let progress through to the terminal while fixtures are set up or torn down."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    capture = config.pluginmanager.get_plugin("capturemanager")
    if reporter is not None:
        reporter.ensure_newline()
    with capture.global_and_fixture_disabled() if capture is not None else nullcontext():
        yield
