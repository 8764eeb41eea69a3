"""What an update keeps: how a deployed stack was chosen to be, unless somebody chooses anew."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from tidemark.aws import stacks
from tidemark.errors import TidemarkError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tidemark.aws.clients import AwsClients


def choices(clients: AwsClients, stack_name: str) -> dict[str, str]:
    """The context values that a deployed stack was made with; none where there is no such stack.

    Raises:
        TidemarkError: They cannot be read. Taking them for the default ones would change it.
    """
    try:
        live = stacks.describe(clients, stack_name)
        template = {} if live is None else stacks.live_template(clients, stack_name)
    except (BotoCoreError, ClientError) as error:
        words = str(error).rstrip(".")
        raise TidemarkError(
            f"How {stack_name} is deployed cannot be read, and a deploy would change it ({words}): "
            "try again."
        ) from error
    if live is None or not template:
        return {}
    topics = _values(template, "AWS::CloudWatch::Alarm", "AlarmActions")
    found = {
        "wiring": live.outputs.get("Wiring"),
        "arch": next(_values(template, "AWS::Lambda::Function", "Architectures"), None),
        "retention": "retain" if is_retained(template) else "destroy",
        "alarm_topic_arn": next(topics, None),
    }
    return {name: value for name, value in found.items() if value is not None}


def is_retained(template: Mapping[str, Any]) -> bool:
    """Whether a template keeps its tables when its stack is deleted."""
    tables = _resources(template, "AWS::DynamoDB::Table")
    return any(one.get("DeletionPolicy") == "Retain" for one in tables)


def _values(template: Mapping[str, Any], kind: str, name: str) -> Iterator[str]:
    """The first value of a property that is a list, for each resource that has some."""
    for one in _resources(template, kind):
        values = one.get("Properties", {}).get(name)
        if values and isinstance(values[0], str):
            yield values[0]


def _resources(template: Mapping[str, Any], kind: str) -> Iterator[Mapping[str, Any]]:
    resources = template.get("Resources")
    for one in resources.values() if isinstance(resources, dict) else ():
        if (
            isinstance(one, dict) and one.get("Type") == kind
        ):  # a loop of CloudFormation's is a list
            yield one
