"""Run folders as large as one likes, clean by construction: what judging them takes is measured."""

from __future__ import annotations

import argparse
import json
import re
from collections import Counter, defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tidemark.history.examination import CLOSING
from tidemark.history.files import packing_of, schema_of
from tidemark.history.tables import SCHEMA_VERSION, TABLES
from tidemark.invariants.catalog import catalog
from tidemark.workloads.canonical import digest_at, digest_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_RUN = "20260101T000000-abcdef"
_EXPORT = f"{_RUN}.export"
_WRITERS = [f"{_RUN}.w{number}" for number in range(1, 5)]
_SQL = Path(__file__).with_name("histories.sql")
# As large as the groups of rows that the recorder makes.
_GROUP = 122_880
_SLICE = 2_000_000


def write(path: Path, ops: int) -> None:
    """Write a run folder.

    Args:
        path: Where; the folder must not be there.
        ops: How many ops it has, beside some reads at its end.
    """
    path.mkdir(parents=True)
    work = path / "work.duckdb"
    sections = re.split(r"^--@ (\w+)$", _SQL.read_text(encoding="utf-8"), flags=re.MULTILINE)
    known = {"run": f"'{_RUN}'", "ops": str(ops)}
    queries = {
        name: re.sub(r"\$(\w+)", lambda found: known[found[1]], text)
        for name, text in zip(sections[1::2], sections[2::2], strict=True)
    }
    with duckdb.connect(str(work)) as database:
        database.execute(queries.pop("made"))
        _digest(database, path)
        database.execute(queries.pop("asked"))
        # Of what load generators say of themselves there is none.
        rows: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for name, query in queries.items():
            # Ops are in the order they began; to sort all of them at once would take long.
            first = range(0, ops, _SLICE) if name == "ops" else [0]
            size = _SLICE if name == "ops" else ops
            slices = [(one, min(one + size, ops)) for one in first]
            rows[name] = _write(path, name, _asked(database, query, slices))
    work.unlink()
    (path / "made.parquet").unlink()
    claims = [{"invariant": one} for one in catalog()]
    rows["claims"] = _write(path, "claims", [pa.Table.from_pylist(claims)])
    _close(path, rows)


def _digest(database: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Make the table `made`: the events, with the digests of what they say."""
    made = path / "made.parquet"
    writer = None
    for batch in database.sql("FROM told").to_arrow_reader(_GROUP):
        told = pa.Table.from_batches([batch])
        effects, states, lines, versions = (
            told[name].to_pylist() for name in ("effect", "state", "line", "v")
        )
        for name, digests in (
            ("effect_digest", [digest_of(text) for text in effects]),
            ("state_digest", [digest_of(text) for text in states]),
            ("line_digest", [digest_at(*one) for one in zip(versions, lines, strict=True)]),
        ):
            told = told.append_column(name, pa.array(digests, pa.int64()))
        writer = writer or pq.ParquetWriter(made, told.schema)
        writer.write_table(told)
    if writer is not None:
        writer.close()
    database.execute(
        f"CREATE TABLE made AS SELECT *, sum(line_digest) OVER (PARTITION BY a ORDER BY v)::BIGINT "  # noqa: S608 -- a path of ours
        f"AS digest_sum FROM '{made}'"
    )


def _asked(
    database: duckdb.DuckDBPyConnection, query: str, slices: Iterable[tuple[int, int]]
) -> Iterator[pa.Table]:
    """The rows of a query, of some slices of the ops one after the other."""
    for first, last in slices:
        database.execute(f"SET VARIABLE first = {first}")
        database.execute(f"SET VARIABLE last = {last}")
        for batch in database.sql(query).to_arrow_reader(_GROUP):
            yield pa.Table.from_batches([batch])


def _write(path: Path, name: str, parts: Any) -> Counter[str]:
    schema = schema_of(TABLES[name])
    files: dict[str, pq.ParquetWriter] = {}
    waiting: defaultdict[str, list[pa.Table]] = defaultdict(list)
    rows: Counter[str] = Counter()
    (path / name).mkdir()
    for part in parts:
        for writer, mine in _of_writers(part, schema):
            if writer not in files:
                file = path / name / f"{writer}.parquet"
                files[writer] = pq.ParquetWriter(file, schema, **packing_of(schema))
            waiting[writer].append(mine)
            rows[writer] += mine.num_rows
            if sum(one.num_rows for one in waiting[writer]) >= _GROUP:
                files[writer].write_table(pa.concat_tables(waiting.pop(writer)))
    for writer, file in files.items():
        file.write_table(pa.concat_tables([schema.empty_table(), *waiting[writer]]))
        file.close()
    return rows


def _of_writers(part: pa.Table, schema: pa.Schema) -> Iterator[tuple[str, pa.Table]]:
    whole = part.select(schema.names).cast(pa.schema([one.with_nullable(True) for one in schema]))
    whole = pa.Table.from_arrays(whole.columns, schema=schema)
    if "writer" not in schema.names or whole["writer"][0].as_py() == _EXPORT:
        yield _EXPORT, whole
        return
    for writer in _WRITERS:
        mine = whole.filter(pc.equal(whole["writer"], writer))
        if mine.num_rows:
            yield writer, mine


def _close(path: Path, rows: dict[str, Counter[str]]) -> None:
    """Write the closing rows and the manifest; a table that no invariant reads may be empty."""
    everybody = [*_WRITERS, _EXPORT]
    closing = [
        {
            "writer": writer,
            "ops_begun": rows["ops"][writer],
            "ops_written": rows["ops"][writer],
            "clock_offset_ns": 0,
            "clock_error_ns": 0,
            "closed": True,
        }
        for writer in everybody
    ]
    written = [
        {"writer": writer, "table_name": name, "row_count": rows.get(name, Counter())[writer]}
        for name in TABLES.keys() - CLOSING
        for writer in everybody
    ]
    for name, values in (("writers", closing), ("written", written)):
        (path / name).mkdir()
        table = pa.Table.from_pylist(values, schema=schema_of(TABLES[name]))
        pq.write_table(table, path / name / f"{_EXPORT}.parquet")
    manifest = {"schema": SCHEMA_VERSION, "run": _RUN, "writers": everybody, "workload": "bank"}
    (path / "run.json").write_text(json.dumps(manifest), encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tools.bench.histories", description=__doc__)
    parser.add_argument("path", type=Path)
    parser.add_argument("ops", type=int)
    asked = parser.parse_args()
    write(asked.path, asked.ops)
