"""What a failed verb leaves to look at: function logs, the target's log, stack events."""

from __future__ import annotations

import json
import re
import shutil
from collections import deque
from itertools import islice
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from tidemark.aws import stacks
from tidemark.aws.clients import AwsClients
from tidemark.aws.logs import groups_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from tidemark.aws.connection import Connection
    from tidemark.targets.base import Target

_MOST_LINES = 20_000
_LONGEST_NAME = 200
# A page may take a second, and be empty: on a stack that is busy for weeks there is no end.
_MOST_PAGES = 50


def keep(
    folder: Path,
    target: Target,
    connection: Connection | None,
    stack_names: Iterable[str],
    *,
    since_ms: int,
) -> None:
    """Collect what there is into a folder, replacing what an earlier failure left.

    What cannot be had is left out: the failure that led here is the news.

    Args:
        folder: The folder.
        target: Where the stacks are.
        connection: How to reach it, if it answers.
        stack_names: The stacks.
        since_ms: From when on their functions' lines are wanted, UTC milliseconds.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    target.keep_log(folder / "target.log")
    if connection is None:
        return
    clients = AwsClients(connection)
    events: list[dict[str, Any]] = []
    for name in stack_names:
        try:
            events += stacks.events(clients.cloudformation, name)
            _keep_function_logs(folder, clients, name, since_ms)
        except (BotoCoreError, ClientError):
            continue  # the target is gone, or the stack never was: its log says more than it would
    (folder / "stack-events.json").write_text(json.dumps(events, indent=2), encoding="utf-8")


def _keep_function_logs(folder: Path, clients: AwsClients, stack_name: str, since_ms: int) -> None:
    resources = clients.cloudformation.describe_stack_resources(StackName=stack_name)
    for resource in resources["StackResources"]:
        if resource["ResourceType"] != "AWS::Lambda::Function":
            continue
        text = "\n".join(_last_lines(clients, resource.get("PhysicalResourceId", ""), since_ms))
        # The name is the target's, which is not to say where files are written.
        name = re.sub(r"[^A-Za-z0-9]", "_", resource["LogicalResourceId"])[:_LONGEST_NAME]
        path = folder / f"{name}.log"
        path.write_text(text + "\n", encoding="utf-8")


def _last_lines(clients: AwsClients, function_name: str, since_ms: int) -> Iterable[str]:
    """The last lines that a function logged since; none when it does not exist."""
    last: deque[str] = deque(maxlen=_MOST_LINES)
    try:
        for group in groups_of(clients, function_name):
            last.extend(_lines(clients, group, since_ms))
    except ClientError:
        return last  # a deploy may have failed before the function was there
    return last


def _lines(clients: AwsClients, group: str, since_ms: int) -> Iterator[str]:
    pages = clients.logs.get_paginator("filter_log_events").paginate(
        logGroupName=group, startTime=since_ms
    )
    try:
        for page in islice(pages, _MOST_PAGES):
            yield from (event["message"].rstrip("\n") for event in page["events"])
    except clients.logs.exceptions.ResourceNotFoundException:
        return  # no such group here, or the function was never invoked
