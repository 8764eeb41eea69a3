"""The page of a run: its verdict and headline, charts, tables, and what it was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tidemark.errors import ExitCode
from tidemark.history import runs
from tidemark.history.folder import RunFolderError
from tidemark.history.places import VERDICT
from tidemark.history.tables import TABLES
from tidemark.host.state import read_json, write_text
from tidemark.invariants.views import connect
from tidemark.report import page, summary
from tidemark.report.assessment import assess
from tidemark.report.differences import differences
from tidemark.report.figures_shown import beware, calls, freshness, headline, objectives
from tidemark.report.judged import verdicts
from tidemark.report.over_time import over_time, spreads, struck
from tidemark.report.page import Note, Page, Section, Table
from tidemark.report.verdict import document

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import duckdb

    from tidemark.history.folder import RunFolder
    from tidemark.measures.series import Struck

HTML = "report.html"
"""The page, in a run's folder."""

MARKDOWN = "summary.md"
"""The same in short, for the page of a CI job."""

_FEW = 3
_MOST_FAULTS = 50


def write(folder: RunFolder) -> Path:
    """Draw a run into its folder, from its verdict and its tables; return the page's path.

    One that nobody judged yet is judged for it.

    Args:
        folder: The run.

    Raises:
        OSError: The folder cannot be written to.
        RunFolderError: Its verdict is none that this version writes.
    """
    verdict, path = folder.path / VERDICT, folder.path / HTML
    kept = read_json(verdict)
    judged = kept or _judge(folder)
    try:
        with connect(folder.as_left()) as database:
            html = page.render(draw(folder, database, judged))
        markdown = summary.markdown(folder, judged)
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        if not kept:
            raise  # it is as this version writes it: a bug
        raise RunFolderError(
            f"{verdict} was edited, or is of another version: remove it, and the run is judged "
            "anew."
        ) from error
    write_text(path, html)
    write_text(folder.path / MARKDOWN, markdown)
    return path


def draw(folder: RunFolder, run: duckdb.DuckDBPyConnection, judged: dict[str, Any]) -> Page:
    """The page of a run.

    Args:
        folder: The run.
        run: A database with its tables.
        judged: Its `verdict.json`.
    """
    figures, lateness = summary.figures_in(judged), judged.get("lateness")
    faults = struck(run)
    bounds = figures.get("slo", ())
    return Page(
        title=summary.title(folder),
        verdict=judged.get("verdict") or "not judged",
        is_well=judged.get("exit_code") == ExitCode.OK,
        ending=summary.ending(judged),
        facts=_facts(folder, figures),
        tiles=headline(figures, lateness),
        sections=[
            Section("Read this first", [*beware(figures), *_gaps(folder)]),
            Section("What holds", verdicts(run, judged.get("invariants", ()))),
            Section("Objectives", objectives(bounds)),
            Section("Over time", over_time(run, bounds)),
            Section("How long it took", spreads(run)),
            Section("How fresh reads were", freshness(lateness, folder.manifest.get("target"))),
            Section("Calls", calls(figures)),
            Section("Faults", _faults(faults)),
            Section("What this target cannot tell you", differences(folder)),
            Section("The run", _run(folder)),
        ],
        faults=[(one.fault, one.begin_s, one.over_s) for one in faults],
    )


def _judge(folder: RunFolder) -> dict[str, Any]:
    with connect(folder) as database:
        return document(assess(database, folder))


def _facts(folder: RunFolder, figures: dict[str, Any]) -> list[tuple[str, str]]:
    manifest = folder.manifest
    began = runs.began(manifest)
    load = manifest.get("load") or {}
    facts = {
        "run": manifest["run"],
        "began": began and f"{began:%Y-%m-%d %H:%M:%S} UTC",
        "profile": load.get("profile"),
        "lasted": figures and f"{figures['duration_s']:.1f} s",
        "sessions": figures and f"{figures['sessions']}",
        "stack": manifest.get("stack_name"),
        "workload": manifest.get("workload"),
        "seed": manifest.get("seed"),
    }
    return [(name, str(value)) for name, value in facts.items() if value]


def _gaps(folder: RunFolder) -> list[Note | Table]:
    """What is not whole, each sentence once."""
    said: dict[str, list[str]] = {}
    for table, sentences in folder.gaps.items():
        for one in sentences:
            said.setdefault(one, []).append(table)
    if not said:
        return []
    note = (
        f"{len(folder.gaps)} of {len(TABLES)} tables are not whole: what is drawn of them is drawn "
        "from what is left."
    )
    rows = [
        (", ".join(tables) if len(tables) <= _FEW else f"{len(tables)} tables", one)
        for one, tables in said.items()
    ]
    return [
        Note(note, is_loud=True),
        Table(("table", "what is wrong"), rows, "What is wrong", is_open=len(rows) <= _FEW),
    ]


def _faults(faults: Sequence[Struck]) -> list[Note | Table]:
    rows = [(one.fault, one.begin_s, one.end_s, one.fired) for one in faults[:_MOST_FAULTS]]
    if not rows:
        return []
    more = len(faults) - len(rows)
    table = Table(("fault", "from second", "healed by second", "had an effect, times"), rows)
    return [table, Note(f"And {more} more.")] if more else [table]


def _run(folder: RunFolder) -> list[Table]:
    """What is written down of the run."""
    return [Table(("what", "value"), list(runs.flat(folder.manifest)), is_text=True)]
