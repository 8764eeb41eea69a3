"""The end of a run: wait until it is quiet, export what the system holds, and close its history."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq

from tidemark.api.session import Writer
from tidemark.history.deliveries import delivered
from tidemark.history.folder import RunFolder
from tidemark.history.places import MANIFEST
from tidemark.history.quiescence import DEADLINE_S, await_quiescence
from tidemark.history.writing import RunWriter, describe_more, noted_in, writers_of
from tidemark.host.state import read_json
from tidemark.trace.letters import names_in, peek, row_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from pathlib import Path

    from tidemark.aws.clients import AwsClients
    from tidemark.host.deployment import Deployment
    from tidemark.trace.letters import Letter
    from tidemark.workloads.workload import Values, Workload

RECOVERY_S = 30.0
"""How long after a throttle the read side may take until its lag is what it was."""

# The deadline of convergence is that of the waiting; the queue allows five receives, and one more
# that nobody counted.
_BOUNDS = {
    "convergence_bound_ms": round(DEADLINE_S * 1000),
    "lag_bound_ms": 30_000,
    "recovery_ms": round(RECOVERY_S * 1000),
    "most_receives": 6,
}
_EXERCISED_BY = {"poison": ("I12",), "throttled": ("I15",)}


def finish(
    path: Path,
    deployment: Deployment,
    clients: AwsClients,
    workload: Workload,
    *,
    within_s: float = DEADLINE_S,
) -> RunFolder:
    """Close a run of which nobody makes a call any more, and open it for the judge.

    Args:
        path: The run's folder.
        deployment: Where its calls went.
        clients: The target's.
        workload: What it called.
        within_s: How long to wait for it to be quiet.

    Raises:
        RecordingError: It cannot be written.
        WorkloadError: The system cannot be exported by what describes it.
    """
    run = path.name
    manifest = read_json(path / MANIFEST) or {}
    quiescence = await_quiescence(deployment, clients, workload, run, within_s=within_s)
    others = writers_of(path)
    closed = {row["writer"] for row in _rows(path, "writers")}
    with RunWriter(path, Writer(run, "export"), workload) as export:
        accounts: set[str] = set()
        for table, values in workload.export(run):
            export.add(table, values)
            if table == "events":
                accounts.add(values["aggregate"])
        sent = {row["message_id"] for row in _rows(path, "faults")} - {None}
        noted, unread = noted_in(path), set()
        since_ms = manifest.get("began_ms", 0)
        if not workload.is_views_only:
            delivery = delivered(
                clients, deployment, since_ms=since_ms, accounts=accounts, messages=sent
            )
            for table, values in delivery:
                export.add(table, values)
                if table == "deliveries" and values["event_id"] is None:
                    unread.add(values["message_id"])
            left = peek(clients.sqs, deployment.outputs["DeadLetterQueueName"])
            for letter in _of_run([*noted.letters, *left], sent, accounts):
                export.add("dead_letters", row_of(letter, is_read=letter.message_id not in unread))
        for table, values in _asked_of(workload, noted.planned):
            export.add(table, values)
        for writer in others:
            if writer not in closed:
                export.close_for(writer)
    describe_more(
        path, writers=writers_of(path), ended_by=quiescence.how, waited_s=quiescence.waited_s
    )
    return RunFolder.open(path)


def _of_run(
    letters: Iterable[Letter], sent: Collection[str], accounts: Collection[str]
) -> Iterator[Letter]:
    for letter in letters:
        if letter.message_id in sent or names_in(letter.event)[1] in accounts:
            yield letter


def _asked_of(workload: Workload, planned: Mapping[str, int]) -> Iterator[tuple[str, Values]]:
    """What a run is held to: faults add the invariants that they exercise."""
    for fault, times in planned.items():
        yield "planned_faults", {"fault": fault, "times": times}
    exercised = {one for fault in planned for one in ("I16", *_EXERCISED_BY.get(fault, ()))}
    for claim in sorted({*workload.claims, *exercised}):
        yield "claims", {"invariant": claim}
    about = {"views_only": 1} if workload.is_views_only else {}
    for name, value in (_BOUNDS | about).items():
        yield "settings", {"name": name, "value": value}


def _rows(path: Path, table: str) -> Iterator[dict[str, Any]]:
    for file in (path / table).glob("*.parquet"):
        yield from pq.read_table(file).to_pylist()
