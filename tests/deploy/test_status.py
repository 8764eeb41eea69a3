"""What a run says that it is of: the versions at work, and the commit of its folder."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from tests.history.test_writing import DEPLOYMENT
from tidemark.deploy.status import commit, made_of

if TYPE_CHECKING:
    from pathlib import Path


def git(folder: Path, *arguments: str) -> None:
    who = ("-c", "user.name=ada", "-c", "user.email=ada@example.org")
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)


def test_a_run_names_the_versions_at_work() -> None:
    versions = made_of(DEPLOYMENT)["versions"]

    assert {"tidemark", "python", "ministack"} <= versions.keys()


def test_a_commit_says_whether_files_differ_from_it(tmp_path: Path) -> None:
    assert commit(tmp_path / "gone") is None

    git(tmp_path, "init")
    file = tmp_path / "file"
    file.write_text("as committed")
    git(tmp_path, "add", "file")
    git(tmp_path, "commit", "-m", "first")
    clean = commit(tmp_path)
    file.write_text("otherwise")

    assert clean
    assert commit(tmp_path) == f"{clean}-dirty"
