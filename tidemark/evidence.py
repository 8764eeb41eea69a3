"""What a failed verb leaves to look at: function logs, the target's log, stack events."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from tidemark import stacks
from tidemark.aws import Clients

if TYPE_CHECKING:
    from pathlib import Path

    from tidemark.environment import Connection
    from tidemark.targets.base import Target

_MOST_LINES = 2000


def keep(folder: Path, target: Target, connection: Connection | None, stack_name: str) -> None:
    """Collect what there is into a folder, replacing what an earlier failure left.

    What cannot be had is left out: the failure that led here is the news.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    target.keep_log(folder / "target.log")
    if connection is None:
        return
    clients = Clients(connection)
    try:
        found = stacks.events(clients.cloudformation, stack_name)
        (folder / "stack-events.json").write_text(json.dumps(found, indent=2), encoding="utf-8")
        _keep_function_logs(folder, clients, stack_name)
    except (BotoCoreError, ClientError):
        return  # the target is gone, and its log says more than it would


def _keep_function_logs(folder: Path, clients: Clients, stack_name: str) -> None:
    resources = clients.cloudformation.describe_stack_resources(StackName=stack_name)
    for resource in resources["StackResources"]:
        if resource["ResourceType"] != "AWS::Lambda::Function":
            continue
        name = resource.get("PhysicalResourceId", "")
        try:
            lines = clients.logs.filter_log_events(
                logGroupName=f"/aws/lambda/{name}", limit=_MOST_LINES
            )["events"]
        except clients.logs.exceptions.ResourceNotFoundException:
            continue  # never invoked
        text = "\n".join(line["message"].rstrip("\n") for line in lines)
        path = folder / f"{resource['LogicalResourceId']}.log"
        path.write_text(text + "\n", encoding="utf-8")
