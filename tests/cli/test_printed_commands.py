"""The commands that `up` prints can be typed where it was called."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from tidemark.cli.next_steps import _program

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A console script in the virtual environment of a checkout, called from there."""
    path = tmp_path / "checkout" / ".venv" / "bin" / "tidemark"
    path.parent.mkdir(parents=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    monkeypatch.setattr(sys, "argv", [str(path), "up"])
    monkeypatch.chdir(tmp_path / "checkout")
    monkeypatch.setenv("PATH", "")
    return path


def test_in_the_checkout_the_script_is_named_by_its_path(script: Path) -> None:
    assert script.exists()
    assert _program() == ".venv/bin/tidemark"


def test_the_path_that_make_sets_is_not_the_callers(
    script: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(script.parent))
    assert _program() == ".venv/bin/tidemark"


def test_a_package_that_was_run_is_named_so(script: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", [str(script.parent / "tidemark" / "__main__.py"), "up"])
    assert _program() == f"{sys.executable} -m tidemark"


def test_elsewhere_it_is_named_as_the_shell_finds_it(
    script: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert _program() == str(script)
    monkeypatch.setenv("PATH", str(script.parent))
    assert _program() == "tidemark"
