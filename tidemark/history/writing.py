"""One process's way into a run's folder: what the run is, and every call that the process makes."""

from __future__ import annotations

import fcntl
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from functools import cache
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Self

from tidemark.api.shown import shown_url
from tidemark.history.examination import CLOSING
from tidemark.history.places import LOCK, MANIFEST, WRITERS
from tidemark.history.recorder import Recorder, lost
from tidemark.history.tables import SCHEMA_VERSION, TABLES
from tidemark.host.state import make_private, read_json, write_json
from tidemark.trace.letters import Letter
from tidemark.workloads.canonical import canonical, digest_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path
    from types import TracebackType

    from tidemark.api.op import Op
    from tidemark.api.session import Writer
    from tidemark.host.deployment import Deployment
    from tidemark.workloads.workload import Seen, Values, Workload

_NOBODY = "-"


class RunWriter:
    """One process's way into a run's folder; several processes may have theirs at once.

    While any has it open, the folder is not cleared away.

    Args:
        path: The folder, which is made if it is not there.
        writer: The process.
        workload: What is being called.

    Attributes:
        clock: How far its clock is ahead of the run's, and by how much that may be wrong, in
            nanoseconds.
    """

    def __init__(self, path: Path, writer: Writer, workload: Workload) -> None:
        self.path = path
        self.name = f"{writer.run_id}.{writer.name}"
        self._workload = workload
        make_private(path.parent.parent)
        (path / WRITERS).mkdir(parents=True, exist_ok=True)
        self._lock = (path / LOCK).open("ab")
        fcntl.flock(self._lock, fcntl.LOCK_SH)
        # So that it is missed if it is killed.
        (path / WRITERS / self.name).touch()
        self._recorder = Recorder(path, self.name)
        self._ops = 0
        self._noted = Noted()
        # The processes of one machine have one clock.
        self.clock = (0, 0)

    def describe(self, deployment: Deployment, **about: Any) -> None:
        """Write down what the run is, unless another of its processes has.

        Args:
            deployment: Where its calls go.
            about: What else is known, such as its seed.
        """
        if not (self.path / MANIFEST).exists():
            write_json(
                self.path / MANIFEST,
                {
                    "schema": SCHEMA_VERSION,
                    "run": self.path.name,
                    "began_ms": time.time_ns() // 1_000_000,
                    "target": deployment.target,
                    "stack_name": deployment.stack_name,
                    "api_url": shown_url(deployment.api_url),
                    "template_digest": deployment.template_digest,
                    "workload": self._workload.name,
                    **about,
                },
            )

    def record(self, op: Op) -> None:
        """Write an op down, and what it saw: a sink for clients."""
        seen = self._workload.seen(op)
        effect = self._workload.effect(op)
        call, kind = op.call, op.kind
        payload_hash = call.payload_hash
        is_command = seen is None and payload_hash is not None
        self._ops += 1
        self._recorder.add(
            "ops",
            (
                self.name,
                op.session,
                op.sequence,
                op.purpose.value,
                kind.value,
                call.operation,
                None if seen is None else seen.table,
                None if seen is None else len(seen.rows),
                (op.principal or _NOBODY) if is_command else None,
                call.key if is_command else None,
                payload_hash,
                None if effect is None else digest_of(canonical(effect)),
                None if seen is not None and seen.owner is not None else op.aggregate,
                None if seen is None else seen.owner,
                call.expected_version,
                call.token,
                min(op.intended_ns, op.start_ns),
                op.start_ns,
                op.end_ns,
                op.outcome.value,
                op.status,
                op.replayed,
                op.version,
                op.event_id,
                op.problem,
            ),
        )
        if seen is not None:
            self._record_seen(op, seen)

    @property
    def has_failed(self) -> bool:
        """Whether nothing can be written down any more, as on a full disk."""
        return self._recorder.has_failed

    def _record_seen(self, op: Op, seen: Seen) -> None:
        caller: Values = {"writer": self.name, "session": op.session, "seq": op.sequence}
        when = {"start_ns": op.start_ns, "end_ns": op.end_ns}
        for row in seen.rows:
            for line in row.get("page_lines", ()):
                self.add("page_lines", caller | line)
            self.add(seen.table, caller | when | row)

    def add(self, table: str, values: Values) -> None:
        """Write a row down.

        Args:
            table: The table.
            values: The values of its columns, by their names.
        """
        self._recorder.add(table, _row_maker(table)(values))

    def plan(self, fault: str, times: int) -> None:
        """Note that a fault is to strike so many times, on top of what else is planned of it.

        The plans of all processes that end in order become those of the run.
        """
        self._noted.planned[fault] = self._noted.planned.get(fault, 0) + times

    def note_letter(self, letter: Letter) -> None:
        """Note a dead letter that is taken out of its queue before the run is exported."""
        self._noted.letters.append(letter)

    def close(self) -> None:
        """Write the rest and the closing rows, and let go of the folder.

        Raises:
            RecordingError: It cannot be written.
        """
        try:
            try:
                self._recorder.flush()
                self._close_rows()
            finally:
                self._recorder.close()
            if self._noted != Noted():
                _note(self.path, self.path / WRITERS / self.name, asdict(self._noted))
        finally:
            self._lock.close()

    def _close_rows(self) -> None:
        for table in TABLES.keys() - CLOSING:
            count = self._recorder.rows[table]
            self.add("written", {"writer": self.name, "table_name": table, "row_count": count})
        closing = {"ops_begun": self._ops, "ops_written": self._recorder.rows["ops"]}
        offset_ns, error_ns = self.clock
        clock = {"clock_offset_ns": offset_ns, "clock_error_ns": error_ns}
        self.add("writers", {"writer": self.name, "closed": True} | closing | clock)

    def close_for(self, killed: str) -> None:
        """Write the closing row of a process that was killed before it could.

        Args:
            killed: The full name of the process as a writer.
        """
        nothing = dict.fromkeys(("ops_begun", "ops_written", "clock_offset_ns"), 0)
        self.add("writers", {"writer": killed, "closed": False, "clock_error_ns": 0} | nothing)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def expect(path: Path, writers: Iterable[str]) -> None:
    """Have a run miss its writers, by their full names, until each has closed its part."""
    for writer in writers:
        (path / WRITERS / writer).touch()


@cache
def _row_maker(table: str) -> Callable[[Values], tuple[Any, ...]]:
    """What makes a row of values; the names of columns are looked up once, not for every call."""
    names = [one.name for one in TABLES[table].columns]
    # Of one name alone it would make no tuple.
    return itemgetter(*names) if len(names) > 1 else lambda values: (values[names[0]],)


def writers_of(path: Path) -> list[str]:
    """Return the full names of all processes that ever had a run's folder open."""
    return sorted(one.name for one in (path / WRITERS).iterdir())


@dataclass
class Noted:
    """What the processes of a run noted that end in order: it is exported with the rest.

    Attributes:
        planned: How often each fault was to strike.
        letters: Dead letters that were taken out of their queue.
    """

    planned: dict[str, int] = field(default_factory=dict)
    letters: list[Letter] = field(default_factory=list)


def noted_in(path: Path) -> Noted:
    """Return what all processes of a run noted."""
    planned: Counter[str] = Counter()
    letters: list[Letter] = []
    for writer in writers_of(path):
        said = read_json(path / WRITERS / writer) or {}
        planned.update(said.get("planned", {}))
        letters += [Letter(**one) for one in said.get("letters", [])]
    return Noted(dict(planned), letters)


def describe_more(path: Path, **about: Any) -> None:
    """Add to what is written down of a run.

    Raises:
        RecordingError: It cannot be written.
    """
    _note(path, path / MANIFEST, (read_json(path / MANIFEST) or {}) | about)


def _note(path: Path, file: Path, document: Mapping[str, Any]) -> None:
    try:
        write_json(file, document)
    except OSError as error:
        raise lost(path, error) from error
