"""A container of a load run: ``python -m loadtest.container master|worker ARGUMENT...``.

It runs Locust with these arguments against the deployment that `TIDEMARK_DEPLOYMENT_JSON` has, and
ends as Locust does. A master puts the run's folder into the bucket that `RUNS_BUCKET` names.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tidemark import targets
from tidemark.aws.clients import AwsClients
from tidemark.history.places import folder_of_runs
from tidemark.host.deployment import Deployment
from tidemark.host.state import STATE_DIR_VARIABLE, state_dir
from tidemark.load.choice import DEPLOYMENT_VARIABLE, RUN_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Sequence

DEPLOYMENT_JSON_VARIABLE = "TIDEMARK_DEPLOYMENT_JSON"
BUCKET_VARIABLE = "RUNS_BUCKET"
_LOCUST = (sys.executable, "-m", "locust", "-f", "loadtest/locustfile.py", "--headless")


def main(arguments: Sequence[str]) -> int:
    """Run Locust as master or worker; return its exit code.

    Args:
        arguments: The role, and what Locust is told.
    """
    role, *told = arguments
    with tempfile.TemporaryDirectory() as folder:
        record = Path(folder) / "deployment.json"
        record.write_text(os.environ[DEPLOYMENT_JSON_VARIABLE], encoding="utf-8")
        os.environ.setdefault(STATE_DIR_VARIABLE, str(Path(folder) / "state"))
        os.environ[DEPLOYMENT_VARIABLE] = str(record)
        code = _run([*_LOCUST, f"--{role}", *told])
        if role == "master":
            put(Deployment.load(record), os.environ[RUN_VARIABLE])
    return code


def _run(command: Sequence[str]) -> int:
    """Run Locust, and pass on what ends it: this is the first process of its container."""
    process = subprocess.Popen(command)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: process.send_signal(signal.SIGINT))
    return process.wait()


def put(deployment: Deployment, run_id: str) -> None:
    """Put the run's folder into the bucket, if there is one.

    Args:
        deployment: What was loaded.
        run_id: The run's name.
    """
    path = folder_of_runs(state_dir()) / run_id
    if not path.is_dir():
        return
    archive = path.with_suffix(".tar.gz")
    with tarfile.open(archive, "w:gz") as packed:
        packed.add(path, arcname=run_id)
    clients = AwsClients(targets.connection_to(deployment))
    clients.client("s3").upload_file(str(archive), os.environ[BUCKET_VARIABLE], archive.name)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
