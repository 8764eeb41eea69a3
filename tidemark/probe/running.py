"""Asking rows side by side, each within its bound, and removing what that needs."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError, EndpointConnectionError

from tidemark.host.progress import Steps
from tidemark.probe.bench import Bench
from tidemark.probe.cleanup import NO_ANSWER
from tidemark.probe.names import PREFIX, UNIQUE_NAME, unique_name
from tidemark.probe.observation import Comparison, NotProbedError, NotSeenInTimeError, Observation
from tidemark.probe.result import RowResult
from tidemark.probe.role import Role

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tidemark.aws.clients import AwsClients
    from tidemark.host.deployment import Deployment
    from tidemark.probe.row import Row

_AT_ONCE = 12
# A call that is under way when the bound passes may end; then the row is left to itself.
_GRACE_S = 5.0
_LOOK_EVERY_S = 0.25


@dataclass(frozen=True, slots=True)
class Run:
    """What the rows found, and what of theirs could not be removed.

    Attributes:
        row_results: One per row, in the order of the rows.
        left_behind: What could not be removed, and why.
        is_complete: Whether it came to its end; False if the user cut it short.
    """

    row_results: Sequence[RowResult]
    left_behind: Sequence[str]
    is_complete: bool


def ask(
    rows: Sequence[Row],
    clients: AwsClients,
    deployment: Deployment,
    *,
    what: str,
    is_patient: bool = False,
) -> Run:
    """Ask rows side by side, each within its bound, and show that it is being done.

    Args:
        rows: What to ask.
        clients: The target's.
        deployment: The stack that rows about the deployed stack look at.
        what: What is being done, in words.
        is_patient: Whether rows may take as long as AWS itself.
    """
    role = Role(clients, unique_name(), PREFIX)
    runner = Runner(
        lambda within_s: Bench(clients, deployment, role, within_s=within_s),
        is_patient=is_patient,
    )
    try:
        with Steps().step(what):
            run = runner.run(rows)
    finally:
        left_behind = role.leftovers.remove()
    return replace(run, left_behind=[*run.left_behind, *left_behind])


@dataclass(slots=True)
class _Asked:
    """A row that is being probed, in a thread of its own that may be given up."""

    row: Row
    bench: Bench
    observation: Observation | None = None
    is_unanswered: bool = False
    is_over: threading.Event = field(default_factory=threading.Event)
    has_ended: threading.Event = field(default_factory=threading.Event)

    def observe(self) -> None:
        seen = self._observation()
        # Names differ from run to run; what is observed must not.
        self.observation = replace(seen, observed=UNIQUE_NAME.sub("NAME", seen.observed))
        self.has_ended.set()
        self.is_over.set()

    def _observation(self) -> Observation:
        try:
            return self.row.probe(self.bench)
        except NotSeenInTimeError as not_seen:
            return Observation(Comparison.NOT_SEEN, str(not_seen))
        except NotProbedError as reason:
            return Observation(Comparison.NOT_PROBED, str(reason))
        except EndpointConnectionError:
            self.is_unanswered = True
            return Observation(Comparison.FAILED, NO_ANSWER)
        except Exception as error:  # noqa: BLE001 -- whatever it is, the row says it, and the others go on
            return Observation(Comparison.FAILED, sentence(error))


class Runner:
    """Asks rows.

    Args:
        bench_for: Makes a workbench for a row that may take so many seconds.
        is_patient: Whether rows may take as long as AWS itself.
        at_once: How many rows run side by side.
        grace_s: How long past its bound a row may take to come to its end, in seconds.
    """

    def __init__(
        self,
        bench_for: Callable[[float], Bench],
        *,
        is_patient: bool = False,
        at_once: int = _AT_ONCE,
        grace_s: float = _GRACE_S,
    ) -> None:
        self._bench_for = bench_for
        self._is_patient = is_patient
        self._at_once = at_once
        self._grace_s = grace_s
        self._lock = threading.Lock()
        self._asked: list[_Asked] = []
        self._left_behind: list[str] = []
        self._is_stopped = False

    def run(self, rows: Sequence[Row]) -> Run:
        """Ask every row; on Ctrl-C remove what was made, and return what is known."""
        # The longest first: what has to wait must not begin last.
        ordered = sorted(rows, key=lambda row: -row.within_s)
        with ThreadPoolExecutor(self._at_once, thread_name_prefix="probe") as pool:
            futures = {row.name: pool.submit(self._ask, row) for row in ordered}
            try:
                # In slices: a signal just before a call blocks is seen only when it returns.
                pending = set(futures.values())
                while pending:
                    _, pending = wait(pending, timeout=_LOOK_EVERY_S)
            except KeyboardInterrupt:
                self._stop()
        row_results = [futures[row.name].result() for row in rows]
        return Run(row_results, sorted(self._left_behind), not self._is_stopped)

    def _ask(self, row: Row) -> RowResult:
        within_s = row.patient_s if self._is_patient else row.within_s
        started = time.monotonic()
        observation = self._observe(row, within_s)
        return RowResult.of(
            row, observation, within_s=within_s, duration_s=time.monotonic() - started
        )

    def _observe(self, row: Row, within_s: float) -> Observation:
        with self._lock:
            if self._is_stopped:
                return _INTERRUPTED
            if any(asked.is_unanswered for asked in self._asked):
                return Observation(Comparison.NOT_PROBED, NO_ANSWER)
            asked = _Asked(row, self._bench_for(within_s))
            self._asked.append(asked)
        # Not one of the pool's threads: those are waited for, and this one may hang.
        threading.Thread(target=asked.observe, name=f"probe {row.name}", daemon=True).start()
        is_over = asked.is_over.wait(within_s + self._grace_s)
        observation = asked.observation
        # A call that is under way may still make something: it is waited for, and then removed.
        asked.bench.leftovers.close()
        has_ended = asked.has_ended.wait(self._grace_s)
        self._left_behind.extend(asked.bench.leftovers.remove())
        if row.makes and not has_ended:
            self._left_behind.append(
                f"what a call of {row.name} may still make: it was not answered"
            )
        if observation is not None:
            return observation
        if is_over:
            return _INTERRUPTED
        return Observation(Comparison.NOT_SEEN, "the target did not answer a call")

    def _stop(self) -> None:
        with self._lock:
            self._is_stopped = True
            for asked in self._asked:
                asked.is_over.set()


_INTERRUPTED = Observation(Comparison.NOT_PROBED, "interrupted")


def sentence(error: Exception) -> str:
    """An error in one line."""
    if isinstance(error, ClientError):
        said = error.response["Error"]
        code, message = said.get("Code", "no code"), said.get("Message", "no message")
        return f"{error.operation_name} failed with {code}: {' '.join(message.split())}"
    said_of = " ".join(str(error).split())
    return f"{type(error).__name__}: {said_of}" if said_of else type(error).__name__
