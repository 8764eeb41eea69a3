"""Which deployment a load run goes to."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from tidemark.api.exchange import is_loopback
from tidemark.errors import RefusedError
from tidemark.host.deployment import Deployment, known, path_of

if TYPE_CHECKING:
    from collections.abc import Mapping

DEPLOYMENT_VARIABLE = "TIDEMARK_DEPLOYMENT"


def chosen_deployment(environ: Mapping[str, str] | None = None) -> Deployment:
    """Return the deployment that the environment names, else the one recorded last.

    Args:
        environ: Where `TIDEMARK_DEPLOYMENT` may be set, to the path of a deployment's record.

    Raises:
        RefusedError: If there is none, or it is neither on this machine nor on AWS.
    """
    named = (os.environ if environ is None else environ).get(DEPLOYMENT_VARIABLE)
    deployment = _load(Path(named)) if named else _newest()
    if deployment.target != "aws" and not is_loopback(deployment.api_url):
        raise RefusedError(
            f"{deployment.api_url} is neither on this machine nor on AWS: a load run goes to no "
            "other place."
        )
    return deployment


def _load(path: Path) -> Deployment:
    if not path.is_file():
        raise RefusedError(
            f"{DEPLOYMENT_VARIABLE} names {path}, which is no file: run `tidemark up`, or unset it."
        )
    return Deployment.load(path)


def _newest() -> Deployment:
    deployments = known()
    if not deployments:
        raise RefusedError("No deployment is recorded: run `tidemark up` first.")
    return max(deployments, key=_recorded_at)


def _recorded_at(deployment: Deployment) -> float:
    return path_of(deployment.target, deployment.stack_name).stat().st_mtime
