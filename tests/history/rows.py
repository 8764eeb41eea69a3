"""The rows of a run folder, as a test looks at them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq

from tidemark.history.files import files_of

if TYPE_CHECKING:
    from pathlib import Path


def rows(run: Path, table: str) -> list[dict[str, Any]]:
    """What is in a table, of all writers."""
    return [row for file in files_of(run, table) for row in pq.read_table(file).to_pylist()]
