"""The files of a run's tables: how they are named, and which of them count."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from tidemark.history.columns import Kind, Table

if TYPE_CHECKING:
    from pathlib import Path

_TYPES = {Kind.TEXT: pa.string(), Kind.INTEGER: pa.int64(), Kind.FLAG: pa.bool_()}
_PART = "~"
_END = ".parquet"


def schema_of(table: Table) -> pa.Schema:
    """The Arrow schema of a table's files."""
    return pa.schema(
        [pa.field(one.name, _TYPES[one.kind], nullable=one.is_optional) for one in table.columns]
    )


def packing_of(schema: pa.Schema) -> dict[str, Any]:
    """How a table's files are packed, as Parquet's writer takes it.

    Times are written as the differences between them: half as large, and three times as quick to
    read, as the dictionary that a column has otherwise.
    """
    times = {name for name in schema.names if name.endswith(("_ns", "_ms"))}
    return {
        "compression": "zstd",
        "use_dictionary": [name for name in schema.names if name not in times],
        "column_encoding": dict.fromkeys(times, "DELTA_BINARY_PACKED"),
    }


def first_line(error: Exception) -> str:
    """What a reader of files says of one, in a line; its kind where it says nothing."""
    return str(error).partition("\n")[0].strip(" :") or type(error).__name__


def writer_of(file: Path) -> str:
    """The writer of a table's file: its name is `<writer>.parquet` or `<writer>~<part>.parquet`."""
    return file.name.removesuffix(_END).partition(_PART)[0]


def part_name(writer: str, part: int) -> str:
    """The name of a part of what a writer has not yet merged."""
    return f"{writer}{_PART}{part:06d}{_END}"


def files_of(run: Path, table: str) -> list[Path]:
    """The files of a table that count, by name.

    What is being written has a name that begins with a dot. Where a writer has merged its parts,
    those that it had not removed yet say the same once more.
    """
    found = sorted(one for one in (run / table).glob(f"*{_END}") if not one.name.startswith("."))
    merged = {writer_of(one) for one in found if _PART not in one.name}
    return [one for one in found if _PART not in one.name or writer_of(one) not in merged]
