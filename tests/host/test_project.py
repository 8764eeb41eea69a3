"""Of the folders above, only those of the project and of the same user count."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tidemark.host import project
from tidemark.host.project import find_upwards
from tidemark.host.state import find_checkout

if TYPE_CHECKING:
    from pathlib import Path

ME = os.geteuid()
ANOTHER = ME + 1


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """A folder in a project in a folder, of which the outermost has the file."""
    folder = tmp_path / "outer" / "project" / "here"
    folder.mkdir(parents=True)
    (tmp_path / "outer" / "cdk.json").touch()
    return folder


def owned(monkeypatch: pytest.MonkeyPatch, owners: dict[Path, int]) -> None:
    """Let files and folders belong to these users, and all others to this one."""
    monkeypatch.setattr(project, "_owner_of", lambda path: owners.get(path, ME))


def test_the_nearest_folder_above_is_found(here: Path) -> None:
    assert find_checkout(here) == here.parent.parent
    (here.parent / "cdk.json").touch()
    assert find_checkout(here) == here.parent


def test_what_is_above_the_repository_is_another_project(here: Path) -> None:
    (here.parent / ".git").mkdir()
    assert find_checkout(here) is None
    (here.parent / "cdk.json").touch()
    assert find_checkout(here) == here.parent


def test_what_somebody_else_put_above_does_not_count(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outer = here.parent.parent
    owned(monkeypatch, {outer / "cdk.json": ANOTHER})
    assert find_checkout(here) is None

    owned(monkeypatch, {outer: ANOTHER})
    assert find_checkout(here) is None


def test_a_project_may_belong_to_somebody_else_as_a_whole(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A container works as root on the checkout of whoever started it."""
    outer = here.parent.parent
    owned(monkeypatch, dict.fromkeys([here, here.parent, outer, outer / "cdk.json"], ANOTHER))

    assert find_checkout(here) == outer


def test_a_file_deep_in_a_folder_is_found_as_well(here: Path) -> None:
    program = here.parent.parent / "node_modules" / "aws-cdk" / "bin" / "cdk"
    program.parent.mkdir(parents=True)
    program.touch()

    assert find_upwards("node_modules/aws-cdk/bin/cdk", here) == here.parent.parent
