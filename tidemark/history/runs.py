"""The runs that are kept: where they are, which is the newest."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from tidemark.errors import NotStartedError
from tidemark.history.places import MANIFEST, folder_of_runs

_NAME = re.compile(r"[\w.-]+")


@dataclass(frozen=True, slots=True)
class Kept:
    """A run that is kept, and what it takes."""

    path: Path
    size_bytes: int

    @property
    def name(self) -> str:
        """Its id: they sort by the time at which they began."""
        return self.path.name


def kept(state: Path) -> list[Kept]:
    """The runs in a state folder, oldest first."""
    folders = sorted(one.parent for one in folder_of_runs(state).glob(f"*/{MANIFEST}"))
    return [Kept(one, sum(file.stat().st_size for file in one.rglob("*"))) for one in folders]


def find(state: Path, name: str | None) -> Path:
    """The folder of a run: a path, an id or the beginning of one; the newest without any.

    Raises:
        NotStartedError: There is no such run, or several begin so.
    """
    if name is not None and (Path(name) / MANIFEST).is_file():
        return Path(name)
    runs = kept(state)
    if not runs:
        raise NotStartedError(
            f"No run is kept in {folder_of_runs(state)}: `tidemark load` or an integration test "
            "makes one."
        )
    if name is None:
        return runs[-1].path
    found = [one.path for one in runs if _NAME.fullmatch(name) and one.name.startswith(name)]
    if len(found) != 1:
        how_many = "No run is" if not found else "Several runs are"
        raise NotStartedError(
            f"{how_many} called {name}: `tidemark runs` lists those that are kept."
        )
    return found[0]
