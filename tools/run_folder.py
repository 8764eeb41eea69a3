"""The page of the run folder, `docs/run-folder.md`, drawn from the tables that are written."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tidemark.history.tables import SCHEMA_VERSION, TABLES

if TYPE_CHECKING:
    from tidemark.history.columns import Column, Table

PAGE = Path(__file__).resolve().parents[1] / "docs/run-folder.md"

_PAGE = f"""# The run folder

Drawn by `.venv/bin/python -m tools.run_folder`; do not edit.

A load run and a test session leave a folder in `.tidemark/runs/`, named by the run's id.
`tidemark runs` lists those that are kept, and `tidemark runs show RUN` says what is known of one.
This is schema {SCHEMA_VERSION}: another version is refused, not misread.

| in the folder | what it is |
|---|---|
| `run.json` | what the run is, of what versions, who wrote, how it came to rest |
| `<table>/<writer>.parquet` | the rows of a table that one process wrote |
| `<table>/<writer>~000001.parquet` | a part of them, of a process that still runs or was killed |
| `processes/<writer>` | that there was this process, so that it is missed if it is killed |
| `verdict.json` | what the judge said |
| `report.html`, `summary.md` | the run, drawn: `tidemark report` makes them |
| `load.json` | of a load run: its report |

Accounts, owners and idempotency keys of a run begin with its id.
So runs on one stack, in turn or at once, each judge only their own.
A process that is killed loses at most its last second, and what that may hide is `unknown`.

## Judge it elsewhere

Copy the folder: it is all that a verdict needs.
On a machine with nothing of this, in an empty environment:

```console
$ pip install '/path/to/tidemark-checkout[check]'
$ tidemark check path/to/20261127T031113-a7d446
```

The queries read the tables under the names below; `tidemark explain I4` prints one.
Any engine that reads Parquet can ask them.

## The tables

Times of clients end in `_ns`: UTC nanoseconds, by the writer's clock.
Times of the system under test end in `_ms`: UTC milliseconds, by its own.
A digest is 40 bits of a hash over canonical JSON; a line's counts the place where it was shown.
"""


def draw() -> str:
    """The page: one section for each table, with its columns."""
    return "".join([_PAGE, *map(_section, TABLES.values())])


def _section(table: Table) -> str:
    rows = [f"| `{one.name}` | {_kind(one)} | {one.means} |" for one in table.columns]
    lines = [
        f"\n### {table.name}\n",
        f"A row is {table.row}.\n",
        "| column | holds | which is |",
        "|---|---|---|",
        *rows,
    ]
    return "\n".join(lines) + "\n"


def _kind(column: Column) -> str:
    return f"{column.kind.value}, or nothing" if column.is_optional else column.kind.value


def main() -> None:
    """Draw the page."""
    PAGE.write_text(draw(), encoding="utf-8")


if __name__ == "__main__":
    main()
