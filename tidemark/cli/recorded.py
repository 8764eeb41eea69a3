"""The recorded deployment that a verb acts on, with its target answering."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tidemark import deployment, targets
from tidemark.errors import TidemarkError

if TYPE_CHECKING:
    from tidemark.deployment import Deployment
    from tidemark.environment import Connection
    from tidemark.targets.base import Target


def chosen(target_name: str | None, stack_name: str | None) -> tuple[Deployment, Target]:
    """The deployment that the options choose, and its target.

    Raises:
        RefusedError: None is recorded, or the options do not choose one.
    """
    recorded = deployment.select(target_name, stack_name)
    return recorded, targets.of_deployment(recorded)


def answering(target: Target) -> Connection:
    """How to reach a target that must answer.

    Raises:
        TidemarkError: It does not.
    """
    connection = target.find()
    if connection is None:
        raise TidemarkError(
            f"The {target.name} target does not answer: run `tidemark up`, which starts it again."
        )
    return connection
