"""The end of a run: wait until it is quiet, export what the system holds, and close its history."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow.parquet as pq

from tidemark.api.session import Writer
from tidemark.history.deliveries import delivered
from tidemark.history.folder import RunFolder
from tidemark.history.places import MANIFEST
from tidemark.history.quiescence import DEADLINE_S, await_quiescence
from tidemark.history.writing import RunWriter, describe_more, writers_of
from tidemark.host.state import read_json
from tidemark.trace.letters import peek

if TYPE_CHECKING:
    from pathlib import Path

    from tidemark.aws.clients import AwsClients
    from tidemark.host.deployment import Deployment
    from tidemark.workloads.workload import Workload

# The deadline of convergence is that of the waiting; the queue allows five receives, and one more
# that nobody counted.
_BOUNDS = {
    "convergence_bound_ms": round(DEADLINE_S * 1000),
    "lag_bound_ms": 30_000,
    "recovery_ms": 30_000,
    "most_receives": 6,
}


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
    closed = {
        row["writer"]
        for file in (path / "writers").glob("*.parquet")
        for row in pq.read_table(file).to_pylist()
    }
    with RunWriter(path, Writer(run, "export"), workload) as export:
        # An export that does not end is missed.
        describe_more(path, writers=writers_of(path))
        accounts: set[str] = set()
        for table, values in workload.export(run):
            export.add(table, values)
            if table == "events":
                accounts.add(values["aggregate"])
        faults = {
            row["message_id"]
            for file in (path / "faults").glob("*.parquet")
            for row in pq.read_table(file).to_pylist()
        }
        since_ms = manifest.get("began_ms", 0)
        poisoned = {one for one in faults if one is not None}
        rows = (
            ()
            if workload.is_views_only
            else delivered(
                clients, deployment, since_ms=since_ms, accounts=accounts, messages=poisoned
            )
        )
        for table, values in rows:
            export.add(table, values)
        dead = None if workload.is_views_only else deployment.outputs["DeadLetterQueueName"]
        for letter in peek(clients.sqs, dead) if dead else ():
            account = letter.event.get("account_id")
            if letter.message_id in faults or account in accounts:
                export.add(
                    "dead_letters",
                    {
                        "message_id": letter.message_id,
                        "event_id": letter.event.get("event_id"),
                        "aggregate": account,
                        "version": letter.event.get("version"),
                        "receive_count": letter.receive_count,
                    },
                )
        for claim in workload.claims:
            export.add("claims", {"invariant": claim})
        about = {"views_only": 1} if workload.is_views_only else {}
        for name, value in (_BOUNDS | about).items():
            export.add("settings", {"name": name, "value": value})
        for writer in others:
            if writer not in closed:
                export.close_for(writer)
    describe_more(path, ended_by=quiescence.how, waited_s=quiescence.waited_s)
    return RunFolder.open(path)
