"""The targets by name: each module here is one, imported when it is asked for.

A target is added by its file alone. `aws_emulator.py` with a subclass of
:class:`~tidemark.targets.base.Target` whose name is `aws-emulator` is the target `aws-emulator`,
for every verb.
"""

from __future__ import annotations

import pkgutil
from importlib import import_module
from typing import TYPE_CHECKING

from tidemark.errors import NotStartedError
from tidemark.host.state import state_dir
from tidemark.targets.base import Target, TargetOptions

if TYPE_CHECKING:
    from tidemark.aws.connection import Connection
    from tidemark.host.deployment import Deployment

# What targets are made of, and none itself.
_PARTS = {
    "aws_log_role",
    "base",
    "choice",
    "compose_file",
    "container_trouble",
    "emulators",
    "engine",
    "stopping",
    "guard",
}


def names() -> tuple[str, ...]:
    """The names of all targets, in alphabetical order."""
    modules = {one.name for one in pkgutil.iter_modules(__path__)} - _PARTS
    return tuple(sorted(one.replace("_", "-") for one in modules))


def class_of(name: str) -> type[Target]:
    """The class of the target of that name.

    Raises:
        NotStartedError: There is none of that name.
    """
    if name not in names():
        raise NotStartedError(f"There is no target {name!r}: choose one of {', '.join(names())}.")
    module = import_module(f"{__name__}.{name.replace('-', '_')}")
    [found] = [
        one
        for one in vars(module).values()
        if isinstance(one, type) and issubclass(one, Target) and one.__module__ == module.__name__
    ]
    return found


def create(name: str, options: TargetOptions) -> Target:
    """The target of that name.

    Raises:
        NotStartedError: There is none of that name.
    """
    return class_of(name)(options)


def of_deployment(deployment: Deployment) -> Target:
    """The target that a deployment was recorded on."""
    options = TargetOptions(
        state=state_dir(), endpoint_url=deployment.endpoint, settings=deployment.settings
    )
    return create(deployment.target, options)


def connection_to(deployment: Deployment) -> Connection:
    """How to reach the target of a recorded deployment."""
    return of_deployment(deployment).reach(deployment.endpoint, deployment.region)
