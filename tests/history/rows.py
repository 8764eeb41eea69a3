"""The rows of a run folder, as a test looks at them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq

if TYPE_CHECKING:
    from pathlib import Path


def rows(run: Path, table: str) -> list[dict[str, Any]]:
    """What is in a table, of all writers."""
    return [
        row
        for file in sorted((run / table).glob("*.parquet"))
        for row in pq.read_table(file).to_pylist()
    ]
