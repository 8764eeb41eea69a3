"""Run folders for tests: the tables of the model as files, and the rows that close them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from tests.invariants.model import EXPORT, RUN, Tables, writers_of
from tidemark.history.folder import RunFolder, schema_of
from tidemark.history.tables import SCHEMA_VERSION, TABLES

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path


def write_run(path: Path, tables: Tables, *, killed: Collection[str] = ()) -> RunFolder:
    """Write a run whose writers say that it is whole, but for those that were killed."""
    writers = list(writers_of(tables))
    rows: dict[tuple[str, str], int] = {}
    for name in TABLES:
        if name in {"writers", "written"}:
            continue
        parts: dict[str, list[dict[str, object]]] = {}
        for row in tables.get(name, []):
            writer = row.get("writer", EXPORT)
            parts.setdefault(writer, []).append(row)
        for writer, part in parts.items():
            rows[name, writer] = len(part)
            _write(path, name, writer, part)
    closing = [
        {
            "writer": writer,
            "ops_begun": rows.get(("ops", writer), 0),
            "ops_written": rows.get(("ops", writer), 0),
            "clock_offset_ns": 0,
            "clock_error_ns": 1_000,
            "closed": writer not in killed,
        }
        for writer in writers
    ]
    _write(path, "writers", EXPORT, closing)
    written = [
        {"writer": writer, "table_name": name, "row_count": count}
        for (name, writer), count in rows.items()
        if writer not in killed
    ]
    _write(path, "written", EXPORT, written)
    manifest = {"schema": SCHEMA_VERSION, "run": RUN, "writers": writers}
    (path / "run.json").write_text(json.dumps(manifest), encoding="utf-8")
    return RunFolder.open(path)


def _write(path: Path, name: str, writer: str, rows: list[dict[str, object]]) -> None:
    (path / name).mkdir(parents=True, exist_ok=True)
    table = pa.Table.from_pylist(rows, schema=schema_of(TABLES[name]))
    pq.write_table(table, path / name / f"{writer}.parquet")
