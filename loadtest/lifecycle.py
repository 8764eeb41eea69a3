"""How load runs begin and end, as listeners to Locust's events."""

from __future__ import annotations

import logging
import secrets
import sys
import threading
from typing import TYPE_CHECKING, Any, NoReturn

import gevent  # type: ignore[import-untyped]  # it ships no types
from locust import events, log
from locust.runners import STATE_CLEANUP, STATE_RUNNING, STATE_SPAWNING
from rich.console import Console

from loadtest.options import add_options, problem_with
from loadtest.progress import live_line
from loadtest.run import LoadRun
from loadtest.users import BankUser, MixedUser
from tidemark import targets
from tidemark.api.httpx_transport import HttpxTransport
from tidemark.api.op import Outcome
from tidemark.aws.clients import AwsClients
from tidemark.errors import RefusedError, TidemarkError
from tidemark.host.state import state_dir, write_json
from tidemark.load.choice import chosen_deployment
from tidemark.report.table import Report, report_console
from tidemark.workloads.bank import Bank

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable

    from locust.env import Environment
    from locust.event import EventHook
    from locust.runners import Runner
    from locust.web import WebUI
    from rich.live import Live

    from tidemark.errors import ExitCode
    from tidemark.host.deployment import Deployment

_STOP_WITHIN_S = 5.0

_stderr = Console(stderr=True, highlight=False, soft_wrap=True)


def register() -> None:
    """Listen to Locust's events, once per process."""
    # The report says that a run was stopped; gevent would print it too.
    gevent.get_hub().NOT_ERROR += (KeyboardInterrupt,)
    _listen(events.init_command_line_parser, lambda parser, **_: add_options(parser))
    _listen(events.init, _on_init)


def _on_init(environment: Environment, runner: Runner, web_ui: WebUI | None, **_: Any) -> None:
    options: Any = environment.parsed_options
    try:
        if problem := problem_with(options):
            raise RefusedError(problem)
        deployment = chosen_deployment()
        runs = Runs(runner, options, deployment, AwsClients(targets.connection_to(deployment)))
        runs.prove_it_answers()
    except TidemarkError as error:
        _stderr.print(str(error), markup=False)
        _exit(error.exit_code)
    environment.host = deployment.api_url
    if not (options.user_classes or options.class_picker):
        environment.user_classes = [MixedUser]
    if not options.print_stats:
        # The report at the end has the same rows, with exact percentiles.
        logging.getLogger("locust.stats_logger").disabled = True
    _listen(environment.events.test_start, lambda **_: runs.start())
    _listen(environment.events.test_stop, lambda **_: runs.stopped())
    _listen(environment.events.quitting, lambda **_: runs.quit())
    if web_ui is not None:
        _stderr.print(f"Web page: http://{options.web_host}:{options.web_port} (Ctrl-C ends it)")


class Runs:
    """The load runs of one Locust process: one without the web page, any number with it.

    Args:
        runner: Locust's.
        options: What was parsed from the command line.
        deployment: Where the runs go.
        clients: The AWS clients of their target.
    """

    def __init__(
        self,
        runner: Runner,
        options: Namespace,
        deployment: Deployment,
        clients: AwsClients,
    ) -> None:
        self._runner = runner
        self._options = options
        self._deployment = deployment
        self._clients = clients
        self._run = self._new_run()
        self._live: Live | None = None
        self._is_unreported = False
        self._is_interrupted = False

    def prove_it_answers(self) -> None:
        """Ask for an account that nobody has, and see that the API says so.

        Raises:
            TidemarkError: If nothing answers, or something else does.
        """
        with HttpxTransport(ca_bundle=self._clients.connection.ca_bundle) as transport:
            op = Bank(self._run.client(transport, "probe")).account(f"{self._run.run_id}-nobody")
        if op.outcome is Outcome.OK or op.problem == "no-such-account":
            return
        if op.status is None:
            raise TidemarkError(
                f"The target does not answer at {self._deployment.api_url} ({op.detail}): "
                "run `tidemark up`."
            )
        raise TidemarkError(
            f"{self._deployment.api_url} answers, but not as the bank ({op.status}, "
            f"{op.detail or op.problem}): run `tidemark up`."
        )

    def start(self) -> None:
        """Begin a run."""
        self._run = BankUser.load_run = self._new_run()
        self._is_unreported = True
        run_time_s = self._options.run_time
        _stderr.print(
            f"Loading {self._deployment.target}: {self._options.num_users} users for "
            f"{run_time_s} s, seed {self._run.seed}, run {self._run.run_id}"
        )
        if _stderr.is_terminal:
            self._live = live_line(self._run, run_time_s, _stderr)
            self._live.start()

    def stopped(self) -> None:
        """Report a run that the web page stopped; without it, quitting reports."""
        if self._live is not None:
            self._live.stop()
            self._live = None
        if not self._options.headless:
            self._report()

    def quit(self) -> None:
        """End the process: stop what still runs, report it, and decide the exit code."""
        if self._runner.state in {STATE_RUNNING, STATE_SPAWNING, STATE_CLEANUP}:
            self._is_interrupted = True
            self._runner.environment.stop_timeout = _STOP_WITHIN_S
            self._runner.stop()
        self._report()

    def _new_run(self) -> LoadRun:
        return LoadRun(
            deployment=self._deployment,
            clients=self._clients,
            seed=self._options.seed or str(secrets.randbelow(2**32)),
            read_share=self._options.read_share,
            max_ops=self._options.max_ops,
            on_enough=self._stop,
        )

    def _stop(self) -> None:
        """Stop the run from another thread: stopping ends that of the user who calls this."""
        stop = self._runner.quit if self._options.headless else self._runner.stop
        threading.Thread(target=stop, daemon=True).start()

    def _report(self) -> None:
        if not self._is_unreported:
            return
        self._is_unreported = False
        deadline_s = self._options.lag_deadline
        report = self._run.report(
            lag_deadline_s=min(deadline_s, _STOP_WITHIN_S) if self._is_interrupted else deadline_s,
            is_interrupted=self._is_interrupted,
            failure=self._failure(),
        )
        path = state_dir() / "runs" / report.run_id / "load.json"
        write_json(path, report.as_json())
        console = report_console()
        report.print(console)
        console.print(f"Written to {path}")
        self._conclude(report)

    def _failure(self) -> str | None:
        """Say what went wrong in the load generator itself, which Locust only logs."""
        for exception in self._runner.exceptions.values():
            return f"a user failed: {exception['msg']}"
        return "a listener failed; see the log above" if log.unhandled_greenlet_exception else None

    def _conclude(self, report: Report) -> None:
        self._runner.environment.process_exit_code = int(report.exit_code)
        if report.reason is not None:
            sys.stdout.flush()
            _stderr.print(f"{report.reason}: {_meaning(report.exit_code)}", markup=False)


def _listen(hook: EventHook, listener: Callable[..., object]) -> None:
    hook.add_listener(listener)  # type: ignore[no-untyped-call]  # Locust has no types there


def _exit(code: ExitCode) -> NoReturn:
    _stderr.print(_meaning(code))
    sys.exit(code)


def _meaning(code: ExitCode) -> str:
    return f"{code.meaning} ({int(code)})"
