"""A run folder, read: what is there, what is whole, and what is not."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from tidemark.errors import TidemarkError
from tidemark.history.places import MANIFEST
from tidemark.history.tables import SCHEMA_VERSION, TABLES, Kind, Table

if TYPE_CHECKING:
    from pathlib import Path

_TYPES = {Kind.TEXT: pa.string(), Kind.INTEGER: pa.int64(), Kind.FLAG: pa.bool_()}
_PART = "~"


class RunFolderError(TidemarkError):
    """There is no run in the folder, or not one that this version can read."""


def schema_of(table: Table) -> pa.Schema:
    """The Arrow schema of a table's files."""
    return pa.schema(
        [pa.field(one.name, _TYPES[one.kind], nullable=one.is_optional) for one in table.columns]
    )


def writer_of(file: Path) -> str:
    """The writer of a table's file: its name is `<writer>.parquet` or `<writer>~<part>.parquet`."""
    return file.name.removesuffix(".parquet").partition(_PART)[0]


def part_name(writer: str, part: int) -> str:
    """The name of a part of what a writer has not yet merged."""
    return f"{writer}{_PART}{part:06d}.parquet"


@dataclass(frozen=True)
class RunFolder:
    """A run that was written down.

    Attributes:
        path: The folder.
        manifest: Its `run.json`.
    """

    path: Path
    manifest: dict[str, Any] = field(repr=False)

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
                f"{path} is not a run folder ({file.name}: {error.strerror}): `tidemark runs` "
                "lists those that are there."
            ) from error
        except ValueError as error:
            raise RunFolderError(f"{file} is torn or no JSON ({error}).") from error
        version = manifest.get("schema") if isinstance(manifest, dict) else None
        if version != SCHEMA_VERSION:
            raise RunFolderError(
                f"{file} is of schema {version}, and this version of Tidemark reads "
                f"{SCHEMA_VERSION}: judge it with the version that wrote it."
            )
        return cls(path, manifest)

    def files(self, table: str) -> list[Path]:
        """The files of a table, by name."""
        return sorted((self.path / table).glob("*.parquet"))

    @cached_property
    def gaps(self) -> dict[str, list[str]]:
        """What is wrong with each table, in sentences; a table without an entry is whole."""
        return _Examination(self).gaps


class _Examination:
    """Compares what is in a folder with what its writers say that they wrote."""

    def __init__(self, folder: RunFolder) -> None:
        self._folder = folder
        self.gaps: dict[str, list[str]] = {}
        self._rows: Counter[tuple[str, str]] = Counter()
        self._rows_read = {name: self._read(name) for name in TABLES}
        self._compare()

    def _say(self, table: str, sentence: str) -> None:
        self.gaps.setdefault(table, []).append(sentence)

    def _read(self, name: str) -> list[Path]:
        """Note the rows of a table's files, and which of them cannot be read."""
        whole = []
        schema = schema_of(TABLES[name])
        for file in self._folder.files(name):
            try:
                metadata = pq.read_metadata(file)
            except (OSError, pa.ArrowException) as error:
                self._say(name, f"{file.relative_to(self._folder.path)} is torn ({error})")
                continue
            found = metadata.schema.to_arrow_schema()
            if not found.equals(schema, check_metadata=False):
                self._say(name, f"{file.relative_to(self._folder.path)} has other columns")
                continue
            self._rows[name, writer_of(file)] += metadata.num_rows
            whole.append(file)
        return whole

    def _compare(self) -> None:
        closing = self._table("writers")
        stated = {
            (row["table_name"], row["writer"]): row["row_count"] for row in self._table("written")
        }
        known = {row["writer"] for row in closing}
        expected = set(self._folder.manifest.get("writers", ()))
        for name in TABLES:
            if name in {"writers", "written"}:
                continue
            for writer in sorted(expected - known):
                self._say(name, f"the writer {writer} left no closing row")
            for row in closing:
                if not row["closed"]:
                    continue  # killed: what it lost is said invariant by invariant
                writer = row["writer"]
                here, there = self._rows[name, writer], stated.get((name, writer), 0)
                if here != there:
                    self._say(name, f"{name}/{writer} has {here} rows, and wrote {there}")
            strangers = {who for table, who in self._rows if table == name} - known
            for writer in sorted(strangers & expected) + sorted(strangers - expected):
                if writer not in expected:
                    self._say(name, f"{name}/{writer} is of no writer of this run")

    def _table(self, name: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        for file in self._rows_read[name]:
            try:
                rows += pq.read_table(file).to_pylist()
            except (OSError, pa.ArrowException) as error:
                self._say(name, f"{file.relative_to(self._folder.path)} is torn ({error})")
        return rows
