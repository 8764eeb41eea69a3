"""The verb runs: which runs are kept, what is known of one, and which need be kept no longer."""

import json
from typing import Annotated, Any

import typer

from tidemark.cli import tables
from tidemark.cli.options import AsJson
from tidemark.errors import TidemarkError
from tidemark.history import retention, runs
from tidemark.history.places import folder_of_runs
from tidemark.history.runs import Kept
from tidemark.history.tables import TABLES
from tidemark.host.state import state_dir

_HEADINGS = ("run", "began (UTC)", "target", "what", "ops", "verdict", "MB")
_FIGURES = ("ops", "MB")
# Of what is written down of a run, what its row has said.
_SAID = ("run", "began_ms", "target", "kind")

app = typer.Typer(help="List the runs that are kept, newest first; show one; remove the oldest.")


@app.callback(invoke_without_command=True)
def listing(
    context: typer.Context,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON list.")] = False,
) -> None:
    """List the runs that are kept, newest first; show one; remove the oldest."""
    if context.invoked_subcommand is not None:
        return
    found = [_row(one) for one in reversed(runs.kept(folder_of_runs(state_dir())))]
    if as_json:
        typer.echo(json.dumps(found, indent=2))
        return
    if not found:
        typer.echo(
            f"No run is kept in {folder_of_runs(state_dir())}: `tidemark load` or an integration "
            "test makes one."
        )
        return
    drawn = tables.with_headings(*_HEADINGS, right=_FIGURES)
    for one in found:
        drawn.add_row(
            one["run"],
            one["began"][5:16].replace("T", " "),
            one["target"],
            one["what"],
            str(one["ops"]),
            one["verdict"],
            f"{one['bytes'] / 1e6:.1f}",
        )
    tables.show(drawn)


@app.command()
def show(
    run: Annotated[
        str | None, typer.Argument(help="A run's id or folder; the newest run without it.")
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Show what is known of a run: what it was, how it ended, and what was written down of it."""
    one = Kept(runs.find(state_dir(), run))
    row = _row(one)
    rows = {name: count for name in TABLES if (count := one.rows(name))}
    if as_json:
        document = row | {"invariants": one.invariants, "rows": rows, "about": one.manifest}
        typer.echo(json.dumps(document, indent=2))
        return
    about = {name: value for name, value in one.manifest.items() if name not in _SAID}
    tables.show_rows(
        [
            *((name, str(value)) for name, value in row.items()),
            *((f"  {verdict}", ", ".join(ids)) for verdict, ids in one.invariants.items()),
            *((f"  {name}", value) for name, value in runs.flat(about)),
            ("rows", ""),
            *((f"  {name}", str(count)) for name, count in rows.items()),
        ]
    )


@app.command()
def prune(
    *,
    keep: Annotated[
        int, typer.Option(min=0, metavar="N", help="How many of the newest runs are kept.")
    ] = retention.MOST_RUNS,
    most_bytes: Annotated[
        int,
        typer.Option("--bytes", min=0, metavar="B", help="How large they may be together."),
    ] = retention.MOST_BYTES,
) -> None:
    """Remove the oldest runs beyond a count and a size, and print each; one under way stays."""
    folder = folder_of_runs(state_dir())
    before = runs.kept(folder)
    removed = retention.prune(folder, most_runs=keep, most_bytes=most_bytes)
    for one in removed:
        typer.echo(f"Removed {one.name} ({one.size_bytes / 1e6:.1f} MB).")
    typer.echo(f"{len(before) - len(removed)} runs are kept in {folder}.")


def _row(one: Kept) -> dict[str, Any]:
    """A run as a row: what it was, and what became of it."""
    try:
        ops = one.rows("ops")
    except ImportError as error:
        raise TidemarkError(
            "Counting calls needs pyarrow: `pip install 'tidemark-cqrs[history]'` brings it."
        ) from error
    return {
        "run": one.name,
        "began": "" if one.began is None else one.began.isoformat(timespec="seconds"),
        "target": str(one.manifest.get("target", "")),
        "what": one.what,
        "ops": ops,
        "verdict": one.verdict,
        "bytes": one.size_bytes,
        "path": str(one.path),
    }
