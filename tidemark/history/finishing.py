"""The end of a run: wait until it is quiet, export what the system holds, and close its history.

What was exported is looked up again through the API, as far as a seeded sample goes: a query that
shows something else than the read model holds is found at the latest then.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq

from tidemark.api.call import Kind
from tidemark.api.op import Outcome
from tidemark.api.session import Writer
from tidemark.history.deliveries import delivered
from tidemark.history.folder import RunFolder
from tidemark.history.places import MANIFEST
from tidemark.history.quiescence import DEADLINE, DEADLINE_S, await_quiescence
from tidemark.history.writing import RunWriter, describe_more, noted_in, writers_of
from tidemark.host.state import read_json
from tidemark.trace.letters import names_in, peek, row_of
from tidemark.workloads.workload import Asking

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from pathlib import Path

    from tidemark.aws.clients import AwsClients
    from tidemark.history.writing import Noted
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
MOST_ASKED = 20
"""So many accounts are read once more through the API, which takes some seconds at most."""

_OWNERS = 5
_MOST_ACCOUNTS = 200

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
    exporter = Writer(run, "export")
    with RunWriter(path, exporter, workload) as export:
        state = _State()
        for table, values in workload.export(run):
            export.add(table, values)
            state.note(table, values)
        if quiescence.how != DEADLINE:  # what still comes in would be shown, and is not exported
            asked = state.sample(run)
            session = exporter.session("final")
            workload.ask(Asking(deployment, clients, session, export.record, *asked))
        left_out: dict[str, str] = {}
        sent = {row["message_id"] for row in _rows(path, "faults")} - {None}
        noted, unread = noted_in(path), set()
        since_ms = manifest.get("began_ms", 0)
        if not workload.is_views_only:
            delivery = delivered(
                clients, deployment, since_ms=since_ms, accounts=state.logged, messages=sent
            )
            for table, values in delivery:
                export.add(table, values)
                if table == "deliveries" and values["event_id"] is None:
                    unread.add(values["message_id"])
            left, are_all = peek(clients.sqs, deployment.outputs["DeadLetterQueueName"])
            for letter in _of_run([*noted.letters, *left], sent, state.logged):
                export.add("dead_letters", row_of(letter, is_read=letter.message_id not in unread))
            left_out = _left_out(noted, len(left), are_all=are_all)
        for table, values in _asked_of(workload, noted.planned):
            export.add(table, values)
        for writer in others:
            if writer not in closed:
                export.close_for(writer)
    about = {"ended_by": quiescence.how, "waited_s": quiescence.waited_s, "left_out": left_out}
    describe_more(path, writers=writers_of(path), **about)
    return RunFolder.open(path)


def has_changed_nothing(path: Path) -> bool:
    """Whether all processes of a run ended in order, and none planned a fault or made an event.

    Args:
        path: The run's folder.
    """
    closed = {row["writer"] for row in _rows(path, "writers") if row["closed"]}
    made = any(
        row["kind"] == Kind.COMMAND and row["outcome"] != Outcome.FAIL for row in _rows(path, "ops")
    )
    is_calm = not (path / "faults").exists() and not noted_in(path).planned
    return closed == set(writers_of(path)) and not made and is_calm


@dataclass
class _State:
    """What of the final state is looked up again.

    Attributes:
        logged: The accounts of the log.
        shown: The version that each account of the read model is at.
        owners: The owners whose accounts can all be read again.
    """

    logged: set[str] = field(default_factory=set)
    shown: dict[str, int] = field(default_factory=dict)
    owners: list[str] = field(default_factory=list)

    def note(self, table: str, values: Values) -> None:
        if table == "events":
            self.logged.add(values["aggregate"])
        elif table == "accounts":
            self.shown[values["aggregate"]] = values["version"]
        elif table == "totals" and values["accounts"] <= _MOST_ACCOUNTS:
            self.owners.append(values["owner"])

    def sample(self, seed: str) -> tuple[dict[str, int], list[str]]:
        """Some of the accounts, with their versions, and some of the owners."""
        draw = Random(seed)  # noqa: S311 -- reproducible draws, not secrets
        accounts = draw.sample(sorted(self.shown), min(MOST_ASKED, len(self.shown)))
        owners = draw.sample(sorted(self.owners), min(_OWNERS, len(self.owners)))
        return {name: self.shown[name] for name in accounts}, owners


def _of_run(
    letters: Iterable[Letter], sent: Collection[str], accounts: Collection[str]
) -> Iterator[Letter]:
    for letter in letters:
        if letter.message_id in sent or names_in(letter.event)[1] in accounts:
            yield letter


def _left_out(noted: Noted, looked_at: int, *, are_all: bool) -> dict[str, str]:
    """What of the run's tables is not there; letters count where poison must be among them."""
    if are_all or "poison" not in noted.planned:
        return {}
    why = (
        f"the dead-letter queue holds more letters than the {looked_at} that were looked at: empty "
        "or redrive it, and run again"
    )
    return {"dead_letters": why}


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
