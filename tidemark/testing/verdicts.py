"""The verdict on a session's runs: what its tests left behind is judged once, at its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tidemark.errors import ExitCode
from tidemark.history.finishing import finish, has_changed_nothing
from tidemark.history.places import MANIFEST, VERDICT
from tidemark.host.state import write_json
from tidemark.invariants.judge import EXIT_CODES, Verdict, verdict_of
from tidemark.invariants.views import connect
from tidemark.report.assessment import assess
from tidemark.report.lateness import describe
from tidemark.report.verdict import document, summarise
from tidemark.workloads.workload import Unknown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path
    from typing import Any

    import duckdb

    from tidemark.aws.clients import AwsClients
    from tidemark.host.deployment import Deployment
    from tidemark.invariants.judge import Judgement
    from tidemark.testing.runs import SessionRuns

_MOST_TESTS = 5


def judge_runs(
    runs: SessionRuns, deployments: Iterable[Deployment], clients: AwsClients
) -> Iterator[tuple[ExitCode, list[str]]]:
    """Close the runs of a session, and judge each.

    Args:
        runs: The session's.
        deployments: The stacks that may have been called.
        clients: The target's.

    Yields:
        Of each run the code that its session must end with, and what is said of it: 1 if it is
        violated, 3 if the verdict is unknown or could not be written down. One in which no command
        was accepted ends none.
    """
    for deployment in deployments:
        path = runs.path_of(deployment.stack_name)
        workload = runs.workload_of(deployment, clients)
        if not (path / MANIFEST).is_file() or isinstance(workload, Unknown):
            continue
        folder = finish(path, deployment, clients, workload)
        with connect(folder) as database:
            assessment = assess(database, folder)
            judgements = assessment.judgements
            unwritten = _write(path, document(assessment))
            said = [f"Run {path.name} on {deployment.stack_name}:", *summarise(judgements)]
            said += describe(assessment.lateness, deployment.target)
            said += _tests_of(database, judgements)
        verdict = verdict_of(judgements)
        if verdict is Verdict.UNKNOWN and has_changed_nothing(path):
            yield ExitCode.OK, [f"{said[0]} nothing was accepted, so there is nothing to judge."]
            continue
        if verdict is not Verdict.HOLDS:
            said.append(f"Look at it with `tidemark check {path}`.")
        if verdict is Verdict.UNKNOWN:
            said.append(
                "What is unknown ends a session with 3; --tidemark-check report leaves its end to "
                "the tests."
            )
        if unwritten is not None:
            said.append(unwritten)
        code = EXIT_CODES[verdict]
        yield ExitCode.UNKNOWN if code is ExitCode.OK and unwritten else code, said


def _write(path: Path, verdict: Mapping[str, Any]) -> str | None:
    """Write a verdict down; says why it cannot be, if so."""
    try:
        write_json(path / VERDICT, verdict)
    except OSError as error:
        return (
            f"The verdict could not be written to {path} ({error.strerror}): make room there, and "
            f"judge it again with `tidemark check {path}`."
        )
    return None


def _tests_of(database: duckdb.DuckDBPyConnection, judgements: Iterable[Judgement]) -> list[str]:
    """Which tests called for what the first counterexamples are about."""
    said = []
    for one in judgements:
        first = one.counterexamples[0] if one.counterexamples else None
        if first is None or not (about := first.aggregate or first.key):
            continue
        rows = database.execute(
            # An owner's accounts are commanded by their own ids; the last reads are no test's.
            "SELECT DISTINCT session FROM ops WHERE purpose <> 'final' AND ("
            "$about IN (aggregate, owner, key) "
            "OR key IN (SELECT key FROM events WHERE owner = $about)) ORDER BY session",
            {"about": about},
        ).fetchall()
        named = [str(row[0]) for row in rows]
        more = len(named) - _MOST_TESTS
        tests = ", ".join(named[:_MOST_TESTS]) or "no test by the API"
        tests += f" and {more} more" if more > 0 else ""
        if rows or first.aggregate:
            said.append(f"  {one.invariant.id}: {about} was touched by {tests}")
    return said
