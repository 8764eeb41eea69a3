"""The verb load: Locust, headless, against the deployment."""

import os
import re
import signal
import subprocess
import sys
import textwrap
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from tidemark import targets
from tidemark.api.session import new_run_id
from tidemark.aws.connection import for_ours
from tidemark.cli import known, load_cost, load_fargate
from tidemark.cli.options import KnownStack, KnownTarget, Yes, max_cost_of
from tidemark.errors import EndedError, ExitCode, InterruptedByUserError, TidemarkError
from tidemark.history.places import folder_of_runs
from tidemark.host import ports
from tidemark.host.killing import interrupted_by_kill
from tidemark.host.state import read_json, require_checkout, state_dir
from tidemark.load import profiles
from tidemark.load.choice import DEPLOYMENT_VARIABLE, RUN_VARIABLE
from tidemark.load.options import OPTIONS
from tidemark.report.table import REPORT

_LOCUSTFILE = "loadtest/locustfile.py"
# A call under way gets 4 s, and then there is a report. What ends programs waits for 10 s, mostly,
# and on a busy machine this one takes its time as well.
_END_WITHIN_S = 8.0
_OPTIONS = (
    ("--duration <time>", "How long calls arrive, such as 20s or 1m. Default: 20s"),
    ("-u, --users <int>", "How many users, in a closed loop"),
    ("--processes <int>", "How many processes send; -1 for one on each core. Default: one"),
    *((f"{option.flag} {option.metavar}", option.help) for option in OPTIONS),
    ("--json", "Print the report as JSON"),
)
_DESCRIBED = "\n".join(
    textwrap.fill(told, 78, initial_indent=f"{flag:25}", subsequent_indent=" " * 25)
    for flag, told in _OPTIONS
)
MaxCost = Annotated[float, max_cost_of("up to which estimated cost a run starts without asking")]
On = Annotated[
    str | None,
    typer.Option(
        "--on",
        metavar=load_fargate.FARGATE,
        help="Load a stack on AWS from tasks on Fargate, in a stack that goes with the run.",
    ),
]
Workers = Annotated[int, typer.Option("--workers", help="How many workers there are then.")]
CONTEXT = {"allow_extra_args": True, "ignore_unknown_options": True}
HELP = f"""Load the API with Locust and print what it took.

For example: `tidemark load ramp --duration 1m`. A profile of loadtest/profiles says which calls
arrive and when, however long the target takes (mixed, if none is named). Or, in a closed loop,
`tidemark load --users 8 WriteUser`: users are MixedUser (if none is named), WriteUser and ReadUser.
What `locust -f {_LOCUSTFILE} --help` names passes too.

\b
{_DESCRIBED}
"""
# Locust itself ends with none of them; on a full disk there is no report either.
_OURS_ALONE = {ExitCode.NOT_STARTED, ExitCode.FAILED, ExitCode.UNKNOWN}


def load(
    context: typer.Context,
    target: KnownTarget = None,
    stack_name: KnownStack = None,
    *,
    on: On = None,
    workers: Workers = 1,
    max_cost: MaxCost = 1.0,
    yes: Yes = False,
) -> None:
    """Start Locust, and end as the run does; the arguments that are not known here are its own."""
    checkout = require_checkout("load")
    deployment, its_target = known.choose(target, stack_name)
    if on is not None:
        load_fargate.check(on, deployment, workers)
    connection = known.connect(its_target)
    run_id = new_run_id()
    arguments = _for_locust(context.args, checkout)
    if targets.class_of(deployment.target).asks_first:
        arguments = load_cost.settle(
            arguments,
            deployment,
            checkout,
            most_usd=max_cost,
            is_agreed=yes,
            tasks=0 if on is None else workers + 1,
        )
    if on is not None:
        code = load_fargate.load(
            deployment, its_target, checkout, arguments, workers=workers, run_id=run_id
        )
        if code != ExitCode.OK:
            raise EndedError(ExitCode(code) if code in set(ExitCode) else ExitCode.FAILED)
        return
    command = [sys.executable, "-m", "loadtest", "-f", _LOCUSTFILE, "--headless", *arguments]
    with TemporaryDirectory() as folder:
        environment = for_ours(connection) | {
            DEPLOYMENT_VARIABLE: str(deployment.save(Path(folder))),
            RUN_VARIABLE: run_id,
        }
        code, is_interrupted = _run(command, checkout, environment)
    # Locust ends with 1 and 2 as well, for reasons of its own: what the run came to, it wrote down.
    run = folder_of_runs(state_dir()) / run_id
    report = read_json(run / REPORT)
    if code in _OURS_ALONE or (report is not None and report.get("exit_code") == code):
        if code != ExitCode.OK:
            raise EndedError(ExitCode(code))
        return
    is_killed = code < 0 and run.is_dir()
    recorded = f"What was recorded until then is in {run}."
    if is_interrupted:
        why = "Interrupted; there is no report."
        raise InterruptedByUserError(f"{why} {recorded}" if is_killed else why)
    if is_killed:
        raise TidemarkError(
            f"Locust was ended by signal {-code} before its run was judged: start it again. "
            f"{recorded}"
        )
    raise TidemarkError(f"Locust ended with {code} and without a report: see what it printed.")


def _for_locust(arguments: Sequence[str], checkout: Path) -> list[str]:
    """Return the arguments as Locust knows them: a profile is an option there."""
    known = profiles.names(checkout / "loadtest/profiles")
    its_own = [re.sub("^--duration(?=$|=)", "--run-time", one) for one in arguments]
    if any(one.partition("=")[0] == "--processes" for one in its_own):
        # A port of its own, so that two such runs go on at once.
        port = str(ports.choose(None))
        its_own += ["--master-bind-port", port, "--master-port", port]
    return ["--arrivals", *its_own] if its_own[:1] and its_own[0] in known else its_own


def _run(command: list[str], checkout: Path, environment: Mapping[str, str]) -> tuple[int, bool]:
    """Run Locust to its end; return its code, and whether Ctrl-C or a kill was passed on to it."""
    process = subprocess.Popen(
        command,
        cwd=checkout,
        env=environment,
        stdin=subprocess.DEVNULL,
        start_new_session=True,  # the terminal's Ctrl-C reaches it through here, once
    )
    with interrupted_by_kill(process):
        try:
            return process.wait(), False
        except KeyboardInterrupt:
            with suppress(subprocess.TimeoutExpired, KeyboardInterrupt):
                process.wait(timeout=_END_WITHIN_S)
        finally:
            # With its workers, which go on for a while if it was killed.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    return process.wait(), True
