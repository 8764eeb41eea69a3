from __future__ import annotations

from tidemark.history.tables import TABLES
from tools import run_folder


def test_the_page_of_the_run_folder_is_as_the_tables_are() -> None:
    assert run_folder.PAGE.read_text(encoding="utf-8") == run_folder.draw(), (
        "draw it anew: .venv/bin/python -m tools.run_folder"
    )


def test_each_column_of_each_table_is_on_it() -> None:
    page = run_folder.draw()
    for table in TABLES.values():
        _, _, section = page.partition(f"\n### {table.name}\n")
        section, _, _ = section.partition("\n### ")
        for column in table.columns:
            assert f"| `{column.name}` | {column.kind.value}" in section
