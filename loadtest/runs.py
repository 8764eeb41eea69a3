"""The load runs of one Locust process: one without the web page, any number with it."""

from __future__ import annotations

import os
import secrets
import threading
import traceback
from argparse import Namespace
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import gevent  # type: ignore[import-untyped]  # it ships no types
from locust import log
from locust.runners import STATE_CLEANUP, STATE_RUNNING, STATE_SPAWNING, MasterRunner

from loadtest import last_words, worker
from loadtest.conclusion import conclude, show
from loadtest.fleet import Fleet
from loadtest.live import REPORTED
from loadtest.options import number, problem_with
from loadtest.progress import live_view
from loadtest.run import LoadRun
from loadtest.sent import chosen
from loadtest.users import BankUser
from tidemark.api.session import new_run_id
from tidemark.errors import ExitCode, NotStartedError, TidemarkError
from tidemark.history import retention
from tidemark.history.places import folder_of, folder_of_runs
from tidemark.host import failures
from tidemark.host.state import state_dir
from tidemark.load.choice import RUN_VARIABLE
from tidemark.load.share import Share
from tidemark.measures import slo
from tidemark.workloads.bank_history import BankHistory
from tidemark.workloads.bank_tables import BankTables

if TYPE_CHECKING:
    from collections.abc import Mapping

    from locust.runners import Runner
    from rich.console import Console
    from rich.live import Live as Shown

    from loadtest.live import Live
    from loadtest.sent import Sent
    from tidemark.aws.clients import AwsClients
    from tidemark.host.deployment import Deployment

_STOP_WITHIN_S = 4.0
_END_WITHIN_S = 35.0


def hold_bounds(runner: Runner, options: Namespace, stderr: Console) -> None:
    """Have a runner start no more than the options may ask for, whoever starts it.

    Args:
        runner: Locust's, which the command line starts, the page, and keys that are pressed.
        options: What was parsed from the command line.
        stderr: Where people are told what was refused.
    """
    start, run_time_s = runner.start, options.run_time

    def start_within(user_count: int, spawn_rate: float, **others: Any) -> None:
        asked = {
            "num_users": user_count,
            "spawn_rate": spawn_rate,
            "run_time": options.run_time or run_time_s,
            "host": None,
        }
        if problem := problem_with(Namespace(**{**vars(options), **asked})):
            stderr.print(problem, markup=False)
            return
        start(user_count, spawn_rate, **others)

    runner.start = start_within  # type: ignore[method-assign, assignment]  # Locust has no hook before a start


class Runs:
    """Begins the runs, and reports each at its end.

    Args:
        runner: Locust's.
        options: What was parsed from the command line.
        deployment: Where the runs go.
        clients: The AWS clients of their target.
        stderr: Where people are told what goes on.

    Attributes:
        live: What the newest run shows of itself while it goes on.
    """

    def __init__(
        self,
        runner: Runner,
        options: Any,
        deployment: Deployment,
        clients: AwsClients,
        stderr: Console,
    ) -> None:
        self._runner = runner
        self._fleet = (
            Fleet(runner, self._stop, stderr) if isinstance(runner, MasterRunner) else None
        )
        self._options = options
        self._deployment = deployment
        self._clients = clients
        self._stderr = stderr
        self._is_json = options.json
        # Without the page the time begins with the first call, after all that comes before it.
        self._run_time_s = float(options.run_time)
        if options.headless:
            options.run_time = None
        self._folder = folder_of_runs(state_dir())
        self._run: LoadRun | None = None
        self._live: Shown | None = None
        self.live: Live | None = None
        self._is_interrupted = False
        self._is_opening = False

    def start(self) -> None:
        """Begin a run."""
        # Until there is a report; Locust would say 2 of a listener that failed, or nothing.
        self._runner.environment.process_exit_code = int(ExitCode.FAILED)
        self._is_opening = True
        lead_s = 0.0
        try:
            run = self._begun()
            if self._fleet is not None:
                begin_ns = self._fleet.begin(
                    run.path, worker.order(run, self._options), self._options.num_users
                )
                lead_s = (begin_ns - run.clock()) / 1e9
        # Of whatever kind: Locust would log it, and spawn users all the same.
        except Exception as error:  # noqa: BLE001
            if (known := failures.known(error)) is None:
                traceback.print_exc()
                known = TidemarkError("The run could not begin: the trace above says why.")
            last_words.say(" ".join(failures.lines(known)), known.exit_code)
            self._runner.environment.process_exit_code = int(known.exit_code)
            self._stop()
            raise gevent.GreenletExit from None
        finally:
            self._is_opening = False
        self._run = BankUser.load_run = run
        run_time_s = self._options.run_time or self._run_time_s
        what = run.sent.told if run.sent else f"{self._options.num_users} users in a closed loop"
        self._stderr.print(
            f"Loading {self._deployment.target}: {what}, for {run_time_s:g} s, seed {run.seed}, "
            f"run {run.run_id}"
        )
        if self._options.headless:
            gevent.spawn_later(lead_s + run_time_s, self._stop)
        self.live = run.live
        if self._stderr.is_terminal:
            self._live = live_view(run.live, run_time_s, self._stderr)
            self._live.start()

    def stopping(self) -> None:
        """Have no further call begin."""
        if self._run is not None:
            self._run.ended.set()
            if self._fleet is not None:
                self._fleet.end(_STOP_WITHIN_S if self._is_interrupted else _END_WITHIN_S)

    def reported(self, data: Mapping[str, Any]) -> None:
        """Take what a worker says of its calls."""
        if self._run is not None:
            self._run.live.learn(data.get(REPORTED, ()))

    def stopped(self) -> None:
        """Report a run that the web page stopped; without it, quitting reports."""
        if self._live is not None:
            self._live.stop()
            self._live = None
        if not self._options.headless:
            self._report()
        elif self._fleet is not None:
            self._stop()  # Locust stops, and goes on, when it has lost all its workers

    def gather(self) -> None:
        """Wait for the workers of a run that begins by itself.

        Raises:
            TidemarkError: They did not come.
        """
        if self._fleet is not None and self._options.headless:
            expected = self._options.expect_workers
            self._fleet.gather(expected, is_exact=bool(self._options.processes) or expected > 1)

    def quit(self) -> None:
        """End the process: stop what still runs, report it, and decide the exit code."""
        if self._is_opening:
            self._runner.environment.process_exit_code = int(ExitCode.INTERRUPTED)
        if self._runner.state in {STATE_RUNNING, STATE_SPAWNING, STATE_CLEANUP}:
            self._is_interrupted = True
            self._runner.environment.stop_timeout = _STOP_WITHIN_S
            with suppress(KeyboardInterrupt):  # of somebody who can't wait: then without the rest
                if isinstance(self._runner, MasterRunner):
                    # Its workers have closed their parts; they are told to quit in a moment.
                    self._runner.stop(send_stop_to_client=False)
                else:
                    self._runner.stop()
        self._report()

    def _begun(self) -> LoadRun:
        """Return a new run, whose accounts are open."""
        if removed := retention.clear(self._folder):
            self._stderr.print(removed)
        sent = chosen(self._options, self._deployment.target)
        run = self._new_run(sent)
        run.describe()
        if sent is not None:
            self._stderr.print(f"Opening {sent.profile.population.accounts} accounts")
            run.open_accounts()
        run.watch()
        return run

    def _new_run(self, sent: Sent | None) -> LoadRun:
        said = number(self._options.max_errors)
        run_id = os.environ.pop(RUN_VARIABLE, "") or new_run_id()
        if folder_of(self._folder, run_id).exists():
            raise NotStartedError(f"There is a run {run_id}: give {RUN_VARIABLE} another name.")
        return LoadRun(
            sent=sent,
            run_time_s=self._options.run_time or self._run_time_s,
            bounds={
                **(slo.DEFAULTS if sent else slo.CLOSED_DEFAULTS),
                **(sent.bounds if sent else {}),
                **({} if said is None else {"error_share": said}),
            },
            deployment=self._deployment,
            clients=self._clients,
            runs=self._folder,
            seed=self._options.seed or str(secrets.randbelow(2**32)),
            read_share=self._options.read_share,
            operations=self._options.operations,
            max_ops=self._options.max_ops,
            is_judged=self._options.check == "fail",
            on_enough=self._stop,
            run_id=run_id,
            share=None if self._fleet else Share(),
        )

    def _stop(self) -> None:
        """Stop the run from another thread: stopping ends that of the user who calls this."""
        stop = self._runner.quit if self._options.headless else self._runner.stop
        threading.Thread(target=stop, daemon=True).start()

    def _report(self) -> None:
        run, self._run = self._run, None
        if run is None:
            return
        unwritten = run.close()
        is_judged = run.is_judged and unwritten is None  # else there is no room for the export
        if is_judged and not self._is_interrupted:
            most_s = self._options.lag_deadline
            self._stderr.print(f"Waiting until all is projected, {most_s:g} s at most, and judging")
        report = conclude(
            run.path,
            self._deployment,
            self._clients,
            BankHistory(BankTables.of(self._deployment, self._clients)),
            within_s=self._options.lag_deadline if is_judged else None,
            is_interrupted=self._is_interrupted,
            gap=unwritten or (self._fleet.gap() if self._fleet else None),
            failure=self._failure(),
        )
        self._runner.environment.process_exit_code = int(report.exit_code)
        show(report, is_json=self._is_json)
        if report.reason is not None:
            last_words.say(report.reason, report.exit_code)

    def _failure(self) -> str | None:
        """Say what went wrong in the load generator itself, which Locust only logs."""
        for exception in self._runner.exceptions.values():
            return f"a user failed: {exception['msg']}"
        return "a listener failed; see the log above" if log.unhandled_greenlet_exception else None
