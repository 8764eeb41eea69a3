"""Stacks as CloudFormation sees them: status, template, outputs, and why one failed."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from tidemark.errors import TidemarkError
from tidemark.host.waiting import NotSeenError, NotYetError, eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from mypy_boto3_cloudformation import CloudFormationClient

    from tidemark.aws.clients import AwsClients

# By these, a stack that is not known here is seen to be ours.
OUR_TAGS = {"project": "tidemark"}
TOOLKIT_STACK = "CDKToolkit"
_DELETED_WITHIN_S = 600.0
_SETTLED_WITHIN_S = 300.0
_PROPOSED = "REVIEW_IN_PROGRESS"
_SETTLED = ("CREATE_COMPLETE", "UPDATE_COMPLETE")
_NEVER_CREATED = ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", _PROPOSED)
_AWS_PAUSE_S = 2.0
# What CloudFormation says of resources that failed because another one did.
_CONSEQUENCES = ("cancelled", "canceled", "failed to create: [", "failed to update: [", "rollback")


@dataclass(frozen=True, slots=True)
class LiveStack:
    """A stack that exists.

    Attributes:
        status: CloudFormation's word for its state.
        outputs: Its outputs by key.
        tags: Its tags by key.
        is_protected: Whether it refuses to be deleted.
    """

    status: str
    outputs: Mapping[str, str]
    tags: Mapping[str, str] = field(default_factory=dict)
    is_protected: bool = False

    @property
    def is_ours(self) -> bool:
        """Whether it is of our making, or nobody's yet: who proposes one, has not tagged it."""
        return self.is_proposed or OUR_TAGS.items() <= self.tags.items()

    @property
    def is_settled(self) -> bool:
        """Whether its last change ended well."""
        return self.status in _SETTLED

    @property
    def is_changing(self) -> bool:
        """Whether a change is under way; a change set that waits for review is none."""
        return self.status.endswith("_IN_PROGRESS") and not self.is_proposed

    @property
    def is_proposed(self) -> bool:
        """Whether there is but a change set that nobody executed: no resource, and no tag yet."""
        return self.status == _PROPOSED

    @property
    def is_a_failed_creation(self) -> bool:
        """Whether it never came to be: all that is left of it is its name."""
        return self.status in _NEVER_CREATED


def describe(clients: AwsClients, stack_name: str) -> LiveStack | None:
    """The stack of that name, or ``None``."""
    try:
        [stack] = clients.cloudformation.describe_stacks(StackName=stack_name)["Stacks"]
    except ClientError as error:
        if error.response["Error"]["Code"] == "ValidationError":
            return None
        raise
    if stack["StackStatus"] == "DELETE_COMPLETE":
        return None
    outputs = {one["OutputKey"]: one["OutputValue"] for one in stack.get("Outputs", [])}
    return LiveStack(
        status=stack["StackStatus"],
        outputs=outputs,
        tags={one["Key"]: one["Value"] for one in stack.get("Tags", [])},
        is_protected=stack.get("EnableTerminationProtection", False),
    )


def live_template(clients: AwsClients, stack_name: str) -> dict[str, Any]:
    """The deployed template as it was submitted; empty where a change set is all there is."""
    answer: Any = clients.cloudformation.get_template(
        StackName=stack_name, TemplateStage="Original"
    )
    body = answer.get("TemplateBody") or {}
    template: dict[str, Any] = json.loads(body) if isinstance(body, str) else body
    return template


def live_digest(clients: AwsClients, stack_name: str) -> str:
    """The digest of the deployed template as it was submitted."""
    return template_digest(live_template(clients, stack_name))


def delete(clients: AwsClients, stack_name: str) -> bool:
    """Delete a stack and wait until it is gone; say whether there was one.

    Raises:
        TidemarkError: It cannot be deleted; the message names the resource and the reason.
    """
    if describe(clients, stack_name) is None:
        return False
    await_settled(clients, stack_name)
    clients.cloudformation.delete_stack(StackName=stack_name)

    def probe() -> bool | None:
        stack = describe(clients, stack_name)
        if stack is None:
            return True
        if stack.status == "DELETE_FAILED":
            reason = failure(clients.cloudformation, stack_name) or "CloudFormation says no more"
            raise TidemarkError(f"{stack_name} cannot be deleted: {reason}.")
        raise NotYetError(stack.status)

    return eventually(
        probe,
        within_s=_DELETED_WITHIN_S,
        what=f"{stack_name} to be deleted",
        sleep=_pause_for(clients),
    )


def await_settled(clients: AwsClients, stack_name: str) -> LiveStack | None:
    """The stack, once no change is under way, such as one that a killed verb had begun.

    Raises:
        TidemarkError: The change does not end.
    """

    def probe() -> tuple[LiveStack | None]:
        stack = describe(clients, stack_name)
        if stack is not None and stack.is_changing:
            raise NotYetError(stack.status)
        return (stack,)

    try:
        [stack] = eventually(
            probe,
            within_s=_SETTLED_WITHIN_S,
            what=f"an earlier change of {stack_name} to end",
            sleep=_pause_for(clients),
        )
    except NotSeenError as not_seen:
        raise TidemarkError(
            f"{stack_name} is still being changed by somebody else, or by an earlier run that was "
            f"killed: {not_seen} Try again later."
        ) from not_seen
    return stack


def _pause_for(clients: AwsClients) -> Callable[[float], None]:
    """Pauses that AWS, which counts calls, does not refuse."""
    if clients.connection.endpoint is not None:
        return time.sleep
    return lambda pause_s: time.sleep(max(pause_s, _AWS_PAUSE_S))


def events(
    cloudformation: CloudFormationClient, stack_name: str, since: datetime | None = None
) -> list[dict[str, Any]]:
    """The stack's events, oldest first, as plain JSON; none when the stack is unknown."""
    found: list[dict[str, Any]] = []
    try:
        for page in cloudformation.get_paginator("describe_stack_events").paginate(
            StackName=stack_name
        ):
            found.extend(
                {**event, "Timestamp": event["Timestamp"].isoformat()}
                for event in page["StackEvents"]
                if since is None or event["Timestamp"] >= since
            )
    except ClientError:
        return []  # a stack that was never created has no events: there is nothing to show
    return found[::-1]


def failure(
    cloudformation: CloudFormationClient, stack_name: str, since: datetime | None = None
) -> str | None:
    """The resource that failed first and its reason; ``None`` when no event says so."""
    return first_failure(events(cloudformation, stack_name, since))


def first_failure(found: Iterable[Mapping[str, Any]]) -> str | None:
    """The first failed resource of some events, oldest first, and the reason it gave."""
    failed = [
        event
        for event in found
        if str(event.get("ResourceStatus", "")).endswith("_FAILED")
        and event.get("ResourceStatusReason")
    ]
    causes = [
        event
        for event in failed
        if not any(word in event["ResourceStatusReason"].lower() for word in _CONSEQUENCES)
    ]
    for event in [*causes, *failed]:
        reason = " ".join(str(event["ResourceStatusReason"]).split()).rstrip(".")
        return f"{event['LogicalResourceId']} ({event['ResourceType']}): {reason}"
    return None


def template_digest(template: Mapping[str, Any]) -> str:
    """SHA-256 of a template's canonical JSON, in hex: equal for equal templates."""
    canonical = json.dumps(template, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()
