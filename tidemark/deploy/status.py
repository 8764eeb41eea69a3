"""The status of a deployment: what is on its way, what is stuck, and what it runs."""

from __future__ import annotations

import platform
from dataclasses import asdict
from importlib import metadata
from typing import TYPE_CHECKING, Any

from tidemark import DISTRIBUTION, targets
from tidemark.aws.queues import depth
from tidemark.host.state import find_checkout, read_json
from tidemark.workloads.bank_outbox import outbox_of

if TYPE_CHECKING:
    from tidemark.aws.clients import AwsClients
    from tidemark.host.deployment import Deployment

_PACKAGES = ("aws-cdk-lib", "boto3")


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
