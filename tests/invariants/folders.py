"""Run folders for tests: the tables of a run as files, one for each writer."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from tests.invariants.clean_runs import EXPORT
from tests.invariants.finding import grouped
from tests.invariants.recorded import RUN
from tidemark.history.examination import CLOSING
from tidemark.history.files import schema_of
from tidemark.history.folder import RunFolder
from tidemark.history.tables import SCHEMA_VERSION, TABLES

if TYPE_CHECKING:
    from pathlib import Path

    from tests.invariants.bank import Row
    from tests.invariants.recorded import Tables


def write_run(path: Path, tables: Tables) -> RunFolder:
    """Write a run's tables, its closing rows as they are among them."""
    for name in TABLES:
        rows = tables[name]
        if name in CLOSING:  # each a row about a writer, by whoever closed the run
            write_rows(path, name, EXPORT, rows)
        else:
            owned = [{"writer": EXPORT} | row for row in rows]
            for writer, part in grouped(owned, "writer").items():
                write_rows(path, name, writer, part)
    manifest = {
        "schema": SCHEMA_VERSION,
        "run": RUN,
        "writers": [row["writer"] for row in tables["writers"]],
    }
    (path / "run.json").write_text(json.dumps(manifest), encoding="utf-8")
    return RunFolder.open(path)


def write_rows(path: Path, name: str, writer: str, rows: list[Row]) -> Path:
    """Write the file of one writer's rows of a table."""
    (path / name).mkdir(parents=True, exist_ok=True)
    file = path / name / f"{writer}.parquet"
    pq.write_table(pa.Table.from_pylist(rows, schema=schema_of(TABLES[name])), file)
    return file
