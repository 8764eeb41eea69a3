"""The verb load: Locust, headless, against the deployment."""

import subprocess
import sys
from pathlib import Path

import typer

from tidemark.aws.connection import Connection, for_children
from tidemark.cli import known
from tidemark.cli.options import KnownStack, KnownTarget
from tidemark.errors import EndedError, ExitCode, InterruptedByUserError, TidemarkError
from tidemark.host import deployment as deployments
from tidemark.host.deployment import Deployment
from tidemark.host.state import require_checkout

_LOCUSTFILE = Path("loadtest/locustfile.py")
_SAID_BY_LOCUST = {ExitCode.VIOLATED, ExitCode.SLO_MISSED, ExitCode.UNKNOWN, ExitCode.REFUSED}


CONTEXT = {"allow_extra_args": True, "ignore_unknown_options": True}


def load(context: typer.Context, target: KnownTarget = None, stack_name: KnownStack = None) -> None:
    """Load the API with Locust and print what it took.

    Further arguments are Locust's: `tidemark load --users 8 --run-time 1m`.
    """
    checkout = require_checkout("load")
    deployment, its_target = known.choose(target, stack_name)
    connection = known.connect(its_target)
    command: list[str | Path] = [
        sys.executable,
        "-m",
        "locust",
        "-f",
        _LOCUSTFILE,
        "--headless",
        *context.args,
    ]
    process = subprocess.Popen(command, cwd=checkout, env=_environment(deployment, connection))
    try:
        ended_with = process.wait()
    except KeyboardInterrupt:
        # Locust got the same Ctrl-C: it prints what it has and ends.
        process.wait()
        raise InterruptedByUserError("Interrupted; the load has stopped.") from None
    if ended_with in _SAID_BY_LOCUST:
        raise EndedError(ExitCode(ended_with))
    if ended_with != 0:
        raise TidemarkError(f"Locust failed with exit code {ended_with}.")


def _environment(deployment: Deployment, connection: Connection) -> dict[str, str]:
    """What a load generator needs to know, on top of a clean environment."""
    return for_children(connection) | {
        "TIDEMARK_API_URL": deployment.api_url,
        "TIDEMARK_REGION": deployment.region,
        "TIDEMARK_ENDPOINT": deployment.endpoint or "",
        "TIDEMARK_DEPLOYMENT": str(deployments.path_of(deployment.target, deployment.stack_name)),
    }
