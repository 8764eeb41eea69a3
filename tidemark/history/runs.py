"""The runs that are kept: where they are, which is the newest, and what is known of each."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tidemark.api.shown import shown_url
from tidemark.errors import NotStartedError
from tidemark.history.files import files_of
from tidemark.history.places import GOING, MANIFEST, VERDICT, WRITERS, folder_of_runs, is_in_use
from tidemark.host.state import read_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_NAME = re.compile(r"[\w.-]+")


@dataclass(frozen=True)
class Kept:
    """A run that is kept.

    Attributes:
        path: Its folder.
    """

    path: Path

    @property
    def name(self) -> str:
        """Its id: they sort by the time at which they began."""
        return self.path.name

    @cached_property
    def size_bytes(self) -> int:
        """What it takes."""
        total = 0
        for one in self.path.rglob("*"):
            with suppress(FileNotFoundError):  # a file of a run that is under way
                total += one.stat().st_size
        return total

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """What is written down of it; empty if that cannot be read."""
        return read_json(self.path / MANIFEST) or {}

    @property
    def what(self) -> str:
        """What it was, such as a load run."""
        return str(self.manifest.get("kind", "")) if self.manifest else "not described"

    @property
    def began(self) -> datetime | None:
        """When it began, if that is written down."""
        return began(self.manifest)

    @property
    def verdict(self) -> str:
        """What the judge said last: a verdict, `under way`, or `not judged`."""
        if is_in_use(self.path):
            return "under way"
        return str(self._judged.get("verdict") or "not judged")

    @property
    def invariants(self) -> dict[str, list[str]]:
        """The ids of the invariants that were judged, by verdict."""
        found: dict[str, list[str]] = {}
        judged = self._judged.get("invariants")
        for one in judged if isinstance(judged, list) else ():
            match one:
                case {"verdict": str(verdict), "id": str(identifier)}:
                    found.setdefault(verdict, []).append(identifier)
        return found

    def rows(self, table: str) -> int:
        """How many rows a table has, in those of its files that can be read."""
        import pyarrow as pa  # noqa: PLC0415 -- with the extra `history`
        from pyarrow import parquet  # noqa: PLC0415 -- likewise

        total = 0
        for file in files_of(self.path, table):
            with suppress(OSError, pa.ArrowException):
                total += parquet.read_metadata(file).num_rows
        return total

    @cached_property
    def _judged(self) -> dict[str, Any]:
        return read_json(self.path / VERDICT) or {}


def began(manifest: Mapping[str, Any]) -> datetime | None:
    """When a run began, by its manifest, if that says so."""
    began_ms = manifest.get("began_ms")
    try:
        return datetime.fromtimestamp(began_ms / 1000, UTC) if isinstance(began_ms, int) else None
    except (OSError, OverflowError, ValueError):  # beyond every calendar: it was edited
        return None


def kept(runs: Path) -> list[Kept]:
    """The runs in the folder of all runs' folders, oldest first.

    Those are among them whose processes were killed before any wrote down what the run is.
    """
    found = {one.parent for mark in (MANIFEST, WRITERS) for one in runs.glob(f"*/{mark}")}
    return [Kept(folder) for folder in sorted(found) if not folder.name.endswith(GOING)]


def find(state: Path, name: str | None) -> Path:
    """The folder of a run: a path, an id or the beginning of one; the newest that says what it is.

    Raises:
        NotStartedError: There is no such run, or several begin so.
    """
    if name is not None and (Path(name) / MANIFEST).is_file():
        return Path(name)
    runs = kept(folder_of_runs(state))
    said = [one.path for one in runs if one.manifest]
    if not said and name is None:
        raise NotStartedError(
            f"No run is kept in {folder_of_runs(state)}: `tidemark load` or an integration test "
            "makes one."
        )
    if name is None:
        return said[-1]
    found = [one.path for one in runs if _NAME.fullmatch(name) and one.name.startswith(name)]
    if not found and Path(name).exists():
        return Path(name)  # whoever opens it says what is missing
    if len(found) != 1:
        how_many = "No run is" if not found else "Several runs are"
        raise NotStartedError(
            f"{how_many} called {name}: `tidemark runs` lists those that are kept."
        )
    return found[0]


def flat(value: object, name: str = "") -> Iterator[tuple[str, str]]:
    """Yield what is written down of a run, such as its manifest, in rows of a name and a text.

    Args:
        value: It, or a part of it.
        name: What that part is called.
    """
    if isinstance(value, dict):
        for key in sorted(value):
            yield from flat(value[key], f"{name}.{key}" if name else str(key))
    elif isinstance(value, list):
        yield name, ", ".join(map(_shown, value))
    else:
        yield name, _shown(value)


def _shown(value: object) -> str:
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return shown_url(text) if "://" in text else text
