"""Load runs of small banks on loopback, each Locust in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.load.fake_bank import STAGE
from tidemark.host.deployment import Deployment

if TYPE_CHECKING:
    from collections.abc import Sequence

CHECKOUT = Path(__file__).parents[2]
WITHIN_S = 60
LOADED = ("--headless", "--run-time", "10m", "--arrivals", "closed", "--check", "off")
"""A closed loop that ends by itself only when it has enough, and is not judged."""

STARTED: list[subprocess.Popen[str]] = []
"""What is ended after each test."""


def deployed(url: str, state: Path, target: str = "endpoint") -> None:
    """Have a state folder know of a bank."""
    Deployment(
        target=target,
        endpoint=url,
        region="us-east-1",
        stack_name="Fake",
        api_url=f"{url}{STAGE}",
        template_digest="",
        outputs={"CommandTableName": "commands", "QueryTableName": "queries"},
    ).save(state)


def started(
    state: Path,
    *arguments: str,
    under: Sequence[str] = (),
    module: Sequence[str] = ("locust",),
) -> subprocess.Popen[str]:
    """Start Locust.

    Args:
        state: The state folder.
        arguments: Locust's.
        under: The command that it is started by.
        module: What starts it, with arguments of its own.
    """
    env = {name: value for name, value in os.environ.items() if not name.startswith("LOCUST_")}
    env["TIDEMARK_STATE_DIR"] = str(state)
    env.pop("TIDEMARK_DEPLOYMENT", None)
    process = subprocess.Popen(
        [
            *under,
            sys.executable,
            "-m",
            *module,
            "-f",
            "loadtest/locustfile.py",
            *arguments,
        ],
        cwd=CHECKOUT,
        env=env,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    STARTED.append(process)
    return process


def ended(process: subprocess.Popen[str], *, within_s: float = WITHIN_S) -> tuple[int, str, str]:
    """Wait for its end: its exit code, and what it printed and said."""
    try:
        out, err = process.communicate(timeout=within_s)
    finally:
        process.kill()
    return process.returncode, out, err


def loaded(state: Path, *arguments: str) -> tuple[int, str, str]:
    """Load to the end."""
    return ended(started(state, *LOADED, *arguments))
