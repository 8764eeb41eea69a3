"""Digests of a run, computed again from the cells beside them: what was edited does not fit."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from tidemark.workloads.canonical import digest_at, digest_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

MOST_ROWS = 1_000_000
"""Of a table with more rows than these a sample is computed again."""

SAMPLE = 100_000

_GROUPS_APART = 8
"""Of a file's groups of rows, a sample is of each so-manieth."""


@dataclass(frozen=True, slots=True)
class Digest:
    """A column that is computed from others of its row.

    Attributes:
        text: The column with the text that it is of.
        name: The column that holds it.
        place: The column with the place that counts in it, if one does.
    """

    text: str
    name: str = "digest"
    place: str | None = None

    @property
    def columns(self) -> list[str]:
        """Every column that it takes."""
        return [self.text, self.name, *([self.place] if self.place else [])]

    def of(self, rows: pa.RecordBatch) -> list[int | None]:
        """What it must be in some rows."""
        texts = rows[self.text].to_pylist()
        if self.place is None:
            return [None if text is None else digest_of(text) for text in texts]
        places = rows[self.place].to_pylist()
        return [
            None if text is None else digest_at(place, text)
            for place, text in zip(places, texts, strict=True)
        ]


DIGESTS: dict[str, Digest] = {
    "account_reads": Digest("state"),
    "page_lines": Digest("line", place="place"),
    "owner_reads": Digest("state"),
    "events": Digest("effect", "effect_digest"),
    "heads": Digest("state"),
    "accounts": Digest("state"),
    "lines": Digest("line", place="version"),
}
"""The digests that can be computed again, by their table."""


def differing(table: str, files: Sequence[Path], rows: int, seed: str) -> tuple[int, int]:
    """How many rows of a table have a digest that their cells do not have.

    Unless it is a sample that is looked at, all of each file is read: what is torn is found.

    Args:
        table: The table's name.
        files: Its files.
        rows: How many rows they have.
        seed: Where a sample begins; the same for the same.

    Returns:
        How many differ, and how many were looked at: all, or about a hundred thousand of more
        than a million.

    Raises:
        OSError: A file cannot be read.
        pyarrow.ArrowException: It is torn.
        ValueError: It holds text that is none.
    """
    digest = DIGESTS.get(table)
    every = 1 if rows <= MOST_ROWS else rows // SAMPLE
    if every > 1 and digest is None:
        return 0, 0
    differ = looked_at = 0
    for batch in _batches(digest, files, every, digest_of(seed) % every):
        looked_at += batch.num_rows
        if digest is not None:
            differ += sum(map(operator.ne, digest.of(batch), batch[digest.name].to_pylist()))
    return differ, looked_at


def _batches(
    digest: Digest | None, files: Sequence[Path], every: int, start: int
) -> Iterator[pa.RecordBatch]:
    """All rows of some files, or each so-manieth of them, from some groups of rows of each file."""
    columns = None if digest is None or every == 1 else digest.columns
    for file in files:
        parquet = pq.ParquetFile(file)
        # To unpack a text takes longer than to leave it out.
        apart = max(1, min(every, parquet.num_row_groups, _GROUPS_APART))
        groups = range(start % apart, parquet.num_row_groups, apart)
        step = every // apart
        for batch in parquet.iter_batches(columns=columns, row_groups=groups):
            looked_at = batch
            if every > 1:
                first = start % step
                looked_at = batch.take(pa.array(range(first, batch.num_rows, step), pa.int64()))
                start -= batch.num_rows
            looked_at.validate(full=True)
            yield looked_at
