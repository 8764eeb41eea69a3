"""The tables of a run folder: what each row is, and what each column means.

This is the contract between who writes a run down (the recorder, the export) and who reads it
(the invariants, the measures, other engines). Every table is a folder of Parquet files.

Times of clients end in `_ns` (UTC nanoseconds by the writer's clock), times of the system under
test in `_ms` (UTC milliseconds by its own). A digest is 40 bits of a hash
(:mod:`tidemark.workloads.canonical`), so that a sum of millions fits 64 bits in every engine.
"""

from __future__ import annotations

from tidemark.history import exported, written
from tidemark.history.columns import Kind, Table

__all__ = ["SCHEMA_VERSION", "TABLES", "Kind", "Table"]

SCHEMA_VERSION = 1
"""Raised when a table changes so that an older reader would misread it."""

TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        written.OPS,
        written.ACCOUNT_READS,
        written.PAGE_READS,
        written.PAGE_LINES,
        written.TOTALS_READS,
        written.OWNER_READS,
        *exported.EXPORTED,
        written.SNAPSHOTS,
        written.GENERATOR,
        written.BACKLOG,
        written.PLANNED_FAULTS,
        written.FAULTS,
        written.WRITERS,
        written.WRITTEN,
        written.CLAIMS,
        written.SETTINGS,
    )
}
"""Every table by its name."""
