"""Which deployment a load run goes to."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from tidemark.api.exchange import is_loopback
from tidemark.errors import NotStartedError
from tidemark.host.deployment import Deployment, known, path_of

if TYPE_CHECKING:
    from collections.abc import Mapping

DEPLOYMENT_VARIABLE = "TIDEMARK_DEPLOYMENT"
"""The path of the record of a deployment that is meant, whatever else is known here."""

RUN_VARIABLE = "TIDEMARK_RUN"
"""The name of a process's first run, given by who wants to find it afterwards."""


def choose_deployment(environ: Mapping[str, str] | None = None) -> Deployment:
    """Return the deployment that the environment names, else the newest on this machine.

    Load that costs money, or that others feel, goes nowhere unasked.

    Args:
        environ: Where `TIDEMARK_DEPLOYMENT` may be set, to the path of a deployment's record.

    Raises:
        NotStartedError: If there is none, or what is named is neither on this machine nor on AWS.
    """
    named = (os.environ if environ is None else environ).get(DEPLOYMENT_VARIABLE)
    if not named:
        return _newest_here()
    if not Path(named).is_file():
        raise NotStartedError(
            f"{DEPLOYMENT_VARIABLE} names {named}, which is no file: run `tidemark up`, or unset "
            "it."
        )
    deployment = Deployment.load(Path(named))
    require_allowed(deployment)
    return deployment


def require_allowed(deployment: Deployment) -> None:
    """See that a deployment may be loaded.

    Raises:
        NotStartedError: If it is neither on this machine nor on AWS.
    """
    if deployment.target != "aws" and not is_loopback(deployment.api_url):
        raise NotStartedError(
            f"{deployment.api_url} is neither on this machine nor on AWS: a load run goes to no "
            "other place."
        )


def _newest_here() -> Deployment:
    deployments = known()
    here = [one for one in deployments if is_loopback(one.api_url)]
    if here:
        return max(here, key=_recorded_at)
    if deployments:
        away = deployments[0]
        raise NotStartedError(
            f"Only {away.stack_name} on {away.target} is known, which is not on this machine: "
            f"load it with `tidemark load --target {away.target}`."
        )
    raise NotStartedError("No deployment is known: run `tidemark up` first.")


def _recorded_at(deployment: Deployment) -> float:
    return path_of(deployment.target, deployment.stack_name).stat().st_mtime
