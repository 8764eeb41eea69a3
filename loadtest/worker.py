"""A worker's side of a load run of several processes: its share, and the clock it goes by."""

from __future__ import annotations

from argparse import Namespace
from contextlib import suppress
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import gevent  # type: ignore[import-untyped]  # it ships no types
from gevent.event import AsyncResult, Event  # type: ignore[import-untyped]  # it ships no types
from locust import log

from loadtest import fleet, parcels
from loadtest.live import REPORTED
from loadtest.run import LoadRun
from loadtest.sent import chosen
from loadtest.users import BankUser
from tidemark import targets
from tidemark.api.client import process_clock
from tidemark.aws.clients import AwsClients
from tidemark.errors import ExitCode, TidemarkError
from tidemark.history.places import MANIFEST, folder_of, folder_of_runs
from tidemark.host.deployment import Deployment
from tidemark.host.state import state_dir
from tidemark.load.answering import prove_it_answers
from tidemark.load.choice import require_allowed
from tidemark.load.offset import Offset
from tidemark.load.share import Share

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from locust.rpc import Message
    from locust.runners import WorkerRunner
    from rich.console import Console

_OF_SENT = ("arrivals", "rate", "operations")
_QUESTIONS = 8
_ANSWER_WITHIN_S = 10.0
_MEASURE_EVERY_S = 60.0
_STOP_WITHIN_S = 4.0


def order(run: LoadRun, options: Any) -> dict[str, Any]:
    """Return what a master tells its workers of a run."""
    return {
        "run_id": run.run_id,
        "seed": run.seed,
        "run_time_s": run.run_time_s,
        "arrivals": options.arrivals,
        "rate": options.rate,
        "operations": run.operations,
        "read_share": run.read_share,
        "max_ops": run.max_ops,
        "is_judged": run.is_judged,
        "deployment": asdict(run.deployment),
    }


class Worker:
    """The runs of a worker.

    Args:
        runner: Locust's.
        stderr: Where people are told what goes on.
    """

    def __init__(self, runner: WorkerRunner, stderr: Console) -> None:
        self._runner = runner
        self._stderr = stderr
        self._run: LoadRun | None = None
        self._is_shared = True
        self._clock = process_clock()
        self._answers: AsyncResult = AsyncResult()
        self._offsets: list[Offset] = []
        self._is_over = Event()
        for kind, listener, is_concurrent in (
            (fleet.PREPARE, self._on_prepare, True),
            (fleet.BEGIN, self._on_begin, False),
            (fleet.CLOCK, self._on_clock, False),
            (fleet.END, self._on_end, True),
            (fleet.LATE, self._on_late, False),
        ):
            runner.register_message(kind, listener, concurrent=is_concurrent)

    def report(self, data: dict[str, Any]) -> None:
        """Add what the run shows of itself here to what Locust reports to the master."""
        if self._run is not None:
            data[REPORTED] = self._run.live.report()

    def stopping(self) -> None:
        """Have no further call begin."""
        if self._run is not None:
            self._run.ended.set()

    def quit(self) -> None:
        """End the process: what a run has here is written down, whoever ends it."""
        self._end(_STOP_WITHIN_S)
        if self._runner.environment.process_exit_code is None:
            self._runner.environment.process_exit_code = int(ExitCode.OK)

    def _on_prepare(self, msg: Message, **_: Any) -> None:
        problem = None
        try:
            self._run = BankUser.load_run = self._begun(msg.data)
            self._run.watch()
        except TidemarkError as error:
            problem = str(error)
        self._runner.send_message(fleet.READY, {"problem": problem})

    def _begun(self, told: Mapping[str, Any]) -> LoadRun:
        deployment = Deployment(**told["deployment"])
        require_allowed(deployment)
        clients = AwsClients(targets.connection_to(deployment))
        prove_it_answers(deployment, clients)
        runs, run_id = folder_of_runs(state_dir()), told["run_id"]
        # The master has written it down; on another machine it is not there.
        self._is_shared = (folder_of(runs, run_id) / MANIFEST).exists()
        share = Share(told["worker"], told["workers"])
        self._set_clock()
        self._is_over.clear()
        gevent.spawn(self._measure_again)
        return LoadRun(
            deployment=deployment,
            clients=clients,
            runs=runs,
            seed=told["seed"],
            sent=chosen(Namespace(**{name: told[name] for name in _OF_SENT}), deployment.target),
            run_time_s=told["run_time_s"],
            read_share=told["read_share"],
            operations=told["operations"],
            max_ops=share.part_of(told["max_ops"]),
            bounds={},
            is_judged=told["is_judged"],
            on_enough=lambda: self._runner.send_message(fleet.ENOUGH),
            run_id=run_id,
            share=share,
            clock=self._clock,
        )

    def _on_begin(self, msg: Message, **_: Any) -> None:
        if self._run is not None and self._run.schedule is not None:
            self._run.schedule.begin_at(msg.data["begin_ns"])

    def _on_end(self, msg: Message, **_: Any) -> None:
        self._end(msg.data["within_s"])

    def _on_late(self, **_: Any) -> None:
        self._stderr.print("The run had begun before this worker came: start it before the run.")
        self._runner.environment.process_exit_code = int(ExitCode.NOT_STARTED)
        self._runner.quit()

    def _end(self, within_s: float) -> None:
        """End the calls, close this part of the history, and say so."""
        run, self._run = self._run, None
        if run is None:
            return
        run.ended.set()
        environment = self._runner.environment
        environment.stop_timeout = within_s
        self._runner.stop()
        environment.stop_timeout = 0.0  # Locust would wait as long before the next run
        self._is_over.set()
        with suppress(TidemarkError):  # of a master that is gone: what was measured before holds
            self._offsets.append(self._measured())
        problem = run.close(Offset.over(self._offsets))
        if problem is None and log.unhandled_greenlet_exception:
            problem = "a listener failed there; see what it logged"
        if not self._is_shared:
            for piece in parcels.pieces(run.path, run.writer):
                self._runner.send_message(parcels.PARCEL, piece)
            parcels.clear(run.path, run.writer)
        self._runner.send_message(fleet.CLOSED, {"problem": problem})

    def _set_clock(self) -> None:
        """Go by the master's clock from now on, as far as it can be told."""
        self._clock = process_clock()
        ahead_ns = self._measured().ns
        self._clock = _set_back(process_clock(), ahead_ns)
        self._offsets = [self._measured()]

    def _measure_again(self) -> None:
        offsets = self._offsets
        while not self._is_over.wait(_MEASURE_EVERY_S):
            offsets.append(self._measured())

    def _measured(self) -> Offset:
        """Ask the master for the time."""
        asked = []
        for _ in range(_QUESTIONS):
            self._answers = AsyncResult()
            self._runner.send_message(fleet.ASK_CLOCK, {"sent_ns": self._clock()})
            try:
                asked.append(self._answers.get(timeout=_ANSWER_WITHIN_S))
            except gevent.Timeout:
                raise TidemarkError("The master does not tell the time.") from None
        return Offset.best(asked)

    def _on_clock(self, msg: Message, **_: Any) -> None:
        said = msg.data
        self._answers.set(
            Offset.asked(
                sent_ns=said["sent_ns"], there_ns=said["there_ns"], received_ns=self._clock()
            )
        )


def _set_back(clock: Callable[[], int], by_ns: int) -> Callable[[], int]:
    return lambda: clock() - by_ns
