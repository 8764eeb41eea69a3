"""The targets by name; each is one module, imported when it is asked for."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from tidemark.errors import RefusedError
from tidemark.state import state_dir
from tidemark.targets.base import Target, TargetOptions

if TYPE_CHECKING:
    from tidemark.deployment import Deployment
    from tidemark.environment import Connection

_CLASSES = {
    "embedded": "tidemark.targets.embedded:EmbeddedTarget",
    "endpoint": "tidemark.targets.endpoint:EndpointTarget",
    "localstack": "tidemark.targets.localstack:LocalStackTarget",
}
NAMES = tuple(_CLASSES)


def create(name: str, options: TargetOptions) -> Target:
    """The target of that name.

    Raises:
        RefusedError: There is none of that name.
    """
    if name not in _CLASSES:
        raise RefusedError(f"There is no target {name!r}: choose one of {', '.join(NAMES)}.")
    module, _, class_name = _CLASSES[name].partition(":")
    target: Target = getattr(import_module(module), class_name)(options)
    return target


def of_deployment(deployment: Deployment) -> Target:
    """The target that a deployment was recorded on."""
    options = TargetOptions(
        state=state_dir(), endpoint_url=deployment.endpoint, settings=deployment.settings
    )
    return create(deployment.target, options)


def connection_to(deployment: Deployment) -> Connection:
    """How to reach the target of a recorded deployment."""
    return of_deployment(deployment).reach(deployment.endpoint, deployment.region)
