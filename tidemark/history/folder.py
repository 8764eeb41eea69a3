"""A run folder, read: what it is, and what of it is whole."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tidemark.errors import ExitCode, TidemarkError
from tidemark.history.examination import examine
from tidemark.history.files import files_of
from tidemark.history.places import MANIFEST
from tidemark.history.tables import SCHEMA_VERSION, TABLES

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


class RunFolderError(TidemarkError):
    """There is no run in the folder, or not one that this version can read."""

    exit_code = ExitCode.UNKNOWN


@dataclass(frozen=True)
class RunFolder:
    """A run that was written down.

    Attributes:
        path: The folder.
        manifest: Its `run.json`.
        without: Files of its tables that are left out.
    """

    path: Path
    manifest: dict[str, Any] = field(repr=False)
    without: frozenset[Path] = frozenset()

    @classmethod
    def open(cls, path: Path) -> RunFolder:
        """Read a run's manifest.

        Raises:
            RunFolderError: The folder holds no run, or one of another version.
        """
        file = path / MANIFEST
        try:
            manifest = json.loads(file.read_text(encoding="utf-8"))
        except OSError as error:
            raise RunFolderError(
                f"{path} is not a run folder ({file.name}: {error.strerror}): it was not "
                "copied whole, or was killed before it said what it is. `tidemark runs` lists the "
                "others."
            ) from error
        except ValueError as error:
            raise RunFolderError(
                f"{file} is torn or no JSON ({error}): copy the run once more from where it was "
                "made."
            ) from error
        version = manifest.get("schema") if isinstance(manifest, dict) else None
        if version != SCHEMA_VERSION:
            raise RunFolderError(
                f"{file} is of schema {version}, and this version of Tidemark reads "
                f"{SCHEMA_VERSION}: judge it with the version that wrote it."
            )
        if not isinstance(manifest.get("run"), str):
            raise RunFolderError(f"{file} does not say which run it is: it was edited.")
        for entry, is_written in _ENTRIES.items():
            if entry in manifest and not is_written(manifest[entry]):
                raise RunFolderError(
                    f"{file} was edited: its {entry} is none that Tidemark writes. Copy the run "
                    "once more from where it was made."
                )
        return cls(path, manifest)

    def files(self, table: str) -> list[Path]:
        """The files of a table that count, by name."""
        return [one for one in files_of(self.path, table) if one not in self.without]

    @cached_property
    def gaps(self) -> dict[str, list[str]]:
        """What is wrong with each table, in sentences; a table without an entry is whole."""
        return examine(self.path, self.manifest)

    def as_left(self, without: Iterable[Path] = ()) -> RunFolder:
        """The run as its writers left it, for who counts what there is: nothing of it is missed.

        Args:
            without: Files that cannot be read.
        """
        left = RunFolder(self.path, self.manifest, frozenset(without))
        vars(left)["gaps"] = {}
        return left


def _is_target(target: object) -> bool:
    return target is None or isinstance(target, str)


def _is_left_out(tables: object) -> bool:
    """Whether it says of tables, in sentences, what of them was left out."""
    return isinstance(tables, dict) and all(
        name in TABLES and isinstance(why, str) for name, why in tables.items()
    )


def _is_load(load: object) -> bool:
    """Whether it says what a load run is measured by."""
    match load:
        case {"profile": str(), "refusals": [*refusals], "slo": {**bounds}}:
            return all(isinstance(one, str) for one in refusals) and all(
                isinstance(one, int | float) for one in bounds.values()
            )
    return False


_ENTRIES = {"target": _is_target, "load": _is_load, "left_out": _is_left_out}
