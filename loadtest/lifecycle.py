"""How a Locust process begins and ends, as listeners to its events."""

from __future__ import annotations

import logging
import signal
import sys
from typing import TYPE_CHECKING, Any, NoReturn

import gevent  # type: ignore[import-untyped]  # it ships no types
from locust import events
from locust.runners import WorkerRunner
from rich.console import Console

from loadtest import last_words, live_page, page, tags
from loadtest.options import add_options, problem_with, settle
from loadtest.runs import Runs, hold_bounds
from loadtest.sent import chosen
from loadtest.users import BankUser, MixedUser, ReadUser, WriteUser
from loadtest.worker import Worker
from tidemark import targets
from tidemark.aws.clients import AwsClients
from tidemark.errors import NotStartedError, TidemarkError
from tidemark.load.answering import prove_it_answers
from tidemark.load.choice import choose_deployment
from tidemark.load.options import DEFAULT_USERS

if TYPE_CHECKING:
    from collections.abc import Callable

    from locust.env import Environment
    from locust.event import EventHook
    from locust.runners import Runner
    from locust.web import WebUI

_USERS = [user.__name__ for user in (MixedUser, ReadUser, WriteUser)]

_stderr = Console(stderr=True, highlight=False, soft_wrap=True)


def register() -> None:
    """Listen to Locust's events, once per process."""
    # The report says that a run was stopped; gevent would print it too.
    gevent.get_hub().NOT_ERROR += (KeyboardInterrupt,)
    _listen(events.init_command_line_parser, lambda parser, **_: add_options(parser, _USERS))
    _listen(events.init, _on_init)


def _on_init(environment: Environment, runner: Runner, web_ui: WebUI | None, **_: Any) -> None:
    if isinstance(runner, WorkerRunner):
        _begin_as_worker(environment, runner)
        return
    options: Any = environment.parsed_options
    try:
        settle(options)
        if problem := problem_with(options):
            raise NotStartedError(problem)
        options.operations = tags.operations(options)
        deployment = choose_deployment()
        sent = chosen(options, deployment.target)
        if not (options.user_classes or options.class_picker):
            environment.user_classes = [MixedUser]
        for user in environment.user_classes if sent is None else ():
            if issubclass(user, BankUser):
                tags.restrict(user.operations, options.operations)
        options.num_users = options.num_users or (sent.callers if sent else DEFAULT_USERS)
        clients = AwsClients(targets.connection_to(deployment))
        prove_it_answers(deployment, clients)
    except TidemarkError as error:
        _exit(error)
    environment.host = deployment.api_url
    if not options.print_stats:
        # The report at the end has the same rows, with exact percentiles.
        logging.getLogger("locust.stats_logger").disabled = True
    hold_bounds(runner, options, _stderr)
    runs = Runs(runner, options, deployment, clients, _stderr)
    options.json = False  # the report is the JSON, not Locust's own figures
    _listen(environment.events.test_start, lambda **_: runs.start())
    _listen(environment.events.test_stopping, lambda **_: runs.stopping())
    _listen(environment.events.test_stop, lambda **_: runs.stopped())
    _listen(environment.events.quitting, lambda **_: runs.quit())
    _listen(environment.events.worker_report, lambda data, **_: runs.reported(data))
    try:
        runs.gather()
    except TidemarkError as error:
        _exit(error)
    # Later than now, for Locust is about to heed a kill in its own way.
    gevent.spawn(end_between_calls, gevent.getcurrent())
    if web_ui is not None:
        page.guard(web_ui, options)
        live_page.add(web_ui, lambda: runs.live)
        _stderr.print(f"Web page: http://{options.web_host}:{options.web_port} (Ctrl-C ends it)")


def _begin_as_worker(environment: Environment, runner: WorkerRunner) -> None:
    """Wait for the master: it says where a run goes, and what this worker's share is."""
    options: Any = environment.parsed_options
    tags.forget(options)  # the master says what they leave
    options.json = False  # what the master prints is one JSON object
    worker = Worker(runner, _stderr)
    _listen(environment.events.report_to_master, lambda data, **_: worker.report(data))
    _listen(environment.events.test_stopping, lambda **_: worker.stopping())
    _listen(environment.events.quitting, lambda **_: worker.quit())
    gevent.spawn(end_between_calls, gevent.getcurrent())


def end_between_calls(main: Any) -> None:
    """From now on, have Ctrl-C and a kill interrupt the main greenlet, and never a user's call.

    Args:
        main: The main greenlet.
    """

    def interrupt(*_: object) -> None:
        gevent.kill(main, KeyboardInterrupt)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, interrupt)


def _listen(hook: EventHook, listener: Callable[..., object]) -> None:
    hook.add_listener(listener)  # type: ignore[no-untyped-call]  # Locust has no types there


def _exit(error: TidemarkError) -> NoReturn:
    last_words.say(str(error), error.exit_code)
    sys.exit(error.exit_code)
