"""The status of a deployment: what is on its way, what is stuck, and what it runs."""

from __future__ import annotations

import platform
import subprocess
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tidemark import DISTRIBUTION, targets
from tidemark.aws.queues import depth
from tidemark.host.state import find_checkout, read_json
from tidemark.workloads.bank_outbox import outbox_of

if TYPE_CHECKING:
    from tidemark.aws.clients import AwsClients
    from tidemark.host.deployment import Deployment

_PACKAGES = ("aws-cdk-lib", "boto3")
_ANSWERS_WITHIN_S = 5.0


def versions(deployment: Deployment) -> dict[str, str]:
    """What is at work, by component."""
    found = {"python": platform.python_version(), "tidemark": metadata.version(DISTRIBUTION)}
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    checkout = find_checkout()
    manifest = checkout and read_json(checkout / "node_modules/aws-cdk/package.json")
    if manifest:
        found["aws-cdk"] = manifest["version"]
    return found | dict(targets.of_deployment(deployment).versions())


def commit(folder: Path) -> str | None:
    """The git commit that a folder is at, with `-dirty` where files differ; None without one."""
    try:
        finished = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--exclude=*"],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=_ANSWERS_WITHIN_S,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return finished.stdout.strip() or None


def made_of(deployment: Deployment) -> dict[str, Any]:
    """What a run is told to be of: versions, and the commit of the folder that it is started in."""
    return {"versions": versions(deployment), "commit": commit(Path.cwd())}


def report(deployment: Deployment, clients: AwsClients) -> dict[str, Any]:
    """The status as `tidemark status --json` prints it."""
    queue_name = deployment.outputs.get("QueueName")
    return {
        "target": deployment.target,
        "endpoint": deployment.endpoint,
        "region": deployment.region,
        "stack_name": deployment.stack_name,
        "api_url": deployment.api_url,
        "template_digest": deployment.template_digest,
        "wiring": deployment.wiring,
        "outputs": dict(deployment.outputs),
        "outbox": asdict(outbox_of(deployment, clients)),
        "queue_depth": depth(clients, queue_name) if queue_name else None,
        "dead_letters": depth(clients, deployment.outputs["DeadLetterQueueName"]),
        "versions": versions(deployment),
    }
