"""What `up` prints when it is done: where the stack is, and what to try next."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from tidemark import targets
from tidemark.host import deployment as deployments

if TYPE_CHECKING:
    from tidemark.deploy.bringup import BroughtUp
    from tidemark.host.deployment import Deployment


def print_for(brought: BroughtUp) -> None:
    """Print where the bank's stack is that is up, and commands that work as printed."""
    [deployment], seen = brought.deployments, brought.first_deposit
    assert seen is not None, "a stack with the required outputs gets a deposit"  # noqa: S101 -- a bug of the caller's
    where = deployment.endpoint or "AWS"
    places = {
        "queue": seen.in_queue,
        "outbox": seen.in_outbox,
        "dead-letter queue": seen.dead_letters,
    }
    left = ", ".join(f"{count} in the {place}" for place, count in places.items())
    program = _program()
    choice = _choice(deployment)
    typer.echo(
        f"""
{deployment.stack_name} is up, and works: {seen.balance} was deposited and read back.

  target          {deployment.target} ({where}, {deployment.region})
  API             {deployment.api_url}
  wiring          {deployment.wiring}
  projection lag  {seen.lag_ms} ms
  left behind     {left}

Try next:
  {program} call GET /accounts/{seen.account_id}{choice}
  {program} status{choice}
  {program} load{choice}
"""
    )


def _choice(deployment: Deployment) -> str:
    """The options that choose this deployment, where they are needed."""
    others = [one for one in deployments.known() if one != deployment]
    words = []
    wants_name = targets.class_of(deployment.target).asks_first
    if wants_name or any(one.stack_name == deployment.stack_name for one in others):
        words.append(f" --target {deployment.target}")
    if any(one.stack_name != deployment.stack_name for one in others):
        words.append(f" --stack-name {deployment.stack_name}")
    return "".join(words)


def _program() -> str:
    """The console script, as it can be typed here."""
    script = Path(sys.argv[0]).resolve()
    if script.name == "__main__.py":
        return f"{sys.executable} -m tidemark"
    here = Path.cwd().resolve()
    if script.is_relative_to(here):
        return str(script.relative_to(here))  # right whether or not it is on the PATH
    found = shutil.which("tidemark")
    if found is not None and Path(found).resolve() == script:
        return "tidemark"
    return str(script)
