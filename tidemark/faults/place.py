"""Where a fault is, in plain values: enough to be reached again by whoever has to undo it."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tidemark import targets
from tidemark.aws.clients import AwsClients
from tidemark.host.deployment import Deployment
from tidemark.targets.base import TargetOptions

if TYPE_CHECKING:
    from tidemark.host.undo import Journal

Place = dict[str, Any]


def describe(journal: Journal, deployment: Deployment) -> Place:
    """The place of a deployment that a fault is to be in."""
    return {"state": str(journal.state), "deployment": asdict(replace(deployment, outputs={}))}


def reach(place: Place) -> AwsClients | None:
    """Clients for such a place; ``None`` if it was a target of ours that is gone.

    Raises:
        TidemarkError: It does not answer, or is another account than it was.
    """
    known = Deployment(**place["deployment"])
    options = TargetOptions(
        state=Path(place["state"]), endpoint_url=known.endpoint, settings=known.settings
    )
    target = targets.create(known.target, options)
    if target.is_ours and target.find() is None:
        return None
    return AwsClients(target.start())
