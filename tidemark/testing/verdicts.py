"""The verdict on a session's runs: what its tests left behind is judged once, at its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tidemark.history.finishing import finish
from tidemark.history.places import MANIFEST, VERDICT
from tidemark.host.state import write_json
from tidemark.invariants.catalog import choose
from tidemark.invariants.judge import Verdict, judge_tables, verdict_of
from tidemark.invariants.views import connect
from tidemark.report.lateness import describe, measure
from tidemark.report.verdict import document, summarise
from tidemark.workloads.workload import Unknown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import duckdb

    from tidemark.aws.clients import AwsClients
    from tidemark.host.deployment import Deployment
    from tidemark.invariants.judge import Judgement
    from tidemark.testing.runs import SessionRuns

_MOST_TESTS = 5


def judge_runs(
    runs: SessionRuns, deployments: Iterable[Deployment], clients: AwsClients
) -> Iterator[tuple[Verdict, list[str]]]:
    """Close the runs of a session, and judge each.

    Args:
        runs: The session's.
        deployments: The stacks that may have been called.
        clients: The target's.

    Yields:
        The verdict on each run, and what is said of it.
    """
    for deployment in deployments:
        path = runs.path_of(deployment.stack_name)
        workload = runs.workload_of(deployment, clients)
        if not (path / MANIFEST).is_file() or isinstance(workload, Unknown):
            continue
        folder = finish(path, deployment, clients, workload)
        with connect(folder) as database:
            judgements = judge_tables(database, folder.gaps, choose(None))
            lateness = measure(database, folder)
            write_json(path / VERDICT, document(folder, judgements, lateness))
            said = [f"Run {path.name} on {deployment.stack_name}:", *summarise(judgements)]
            said += describe(lateness, deployment.target)
            said += _tests_of(database, judgements)
        verdict = verdict_of(judgements)
        if verdict is not Verdict.HOLDS:
            said.append(f"Look at it with `tidemark check {path}`.")
        yield verdict, said


def _tests_of(database: duckdb.DuckDBPyConnection, judgements: Iterable[Judgement]) -> list[str]:
    """Which tests called for what the first counterexamples are about."""
    said = []
    for one in judgements:
        first = one.counterexamples[0] if one.counterexamples else None
        if first is None or not (about := first.aggregate or first.key):
            continue
        rows = database.execute(
            "SELECT DISTINCT session FROM ops WHERE $about IN (aggregate, owner, key) "
            "ORDER BY session LIMIT $most",
            {"about": about, "most": _MOST_TESTS},
        ).fetchall()
        tests = ", ".join(str(row[0]) for row in rows) or "no test by the API"
        if rows or first.aggregate:
            said.append(f"  {one.invariant.id}: {about} was touched by {tests}")
    return said
