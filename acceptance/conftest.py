"""What the tests of the program from outside share."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from acceptance.containers import ownerless_volumes, require
from acceptance.program import Program

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# In the background of a script all that tests start would ignore Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    """The program in a state folder of the test's own."""
    with Program(tmp_path / "state").brought_down() as program:
        yield program


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """A program whose target stays up from test to test."""
    with Program(tmp_path_factory.mktemp("shared") / "state").brought_down() as program:
        yield program


@pytest.fixture
def up(shared: Program) -> Program:
    """The same, with the embedded target up, whatever the test before left."""
    shared.succeeds("up", "--target", "embedded")
    return shared


@pytest.fixture
def docker_engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An engine with the image; what the caller's shell says of LocalStack does not count."""
    require()
    for name in ("LOCALSTACK_IMAGE", "LOCALSTACK_AUTH_TOKEN", "LOCALSTACK_PORT"):
        monkeypatch.delenv(name, raising=False)
    before = ownerless_volumes()
    yield
    assert ownerless_volumes() - before == set(), "no volume is left behind"
