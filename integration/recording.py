"""Records what the functions call: `python -m integration.recording`.

All integration tests run on a stack whose functions log their AWS calls, in both wirings; what
they logged becomes the file that `tidemark permissions` evaluates.
"""

from __future__ import annotations

import json
import sys
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

from integration.expansion import expand, pattern_of
from tidemark.aws import logs
from tidemark.permissions.call_log import Call

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from integration.site import Site

APP = "integration.recording_app"
# How the partition keys of both tables begin.
KEY_FAMILIES = ("account#", "command#", "g1#account#", "g1#owner#")


def calls_of(site: Site) -> frozenset[Call]:
    """What the functions of a recorded stack have called so far."""
    names = _names(site)
    partition_key = _partition_keys(site)
    found = set()
    for function, line in _lines(site):
        for one in expand(
            line["service"], line["recorded_call"], line["parameters"], partition_key
        ):
            name = names[one.resource]
            if name is not None:
                resource = f"{name}/index/{one.index}" if one.index else name
                pattern = pattern_of(one.leading_key, KEY_FAMILIES)
                found.add(Call(function, one.action, resource, pattern))
    return frozenset(found)


def _lines(site: Site) -> Iterator[tuple[str, dict[str, Any]]]:
    for line in logs.read(
        site.aws, site.deployment, logs.FUNCTIONS, since_ms=0, containing="recorded_call"
    ):
        if line.text.startswith('{"recorded_call"'):
            output = logs.FUNCTIONS[line.function]
            yield output.removesuffix("Name"), json.loads(line.text)


def _names(site: Site) -> dict[str, str | None]:
    """What calls name a resource by, and what it is called here; None for what is not the stack's.

    Nothing else may be called: it would be a missing key.
    """
    outputs = site.deployment.outputs
    names: dict[str, str | None] = {
        outputs["CommandTableName"]: "CommandTable",
        outputs["QueryTableName"]: "QueryTable",
        outputs["TopicArn"]: "Topic",
        # Of `tidemark.faults.publishing`: where a publish is lost.
        f"{outputs['TopicArn']}-gone": None,
    }
    if "QueueName" in outputs:
        url = site.aws.functions.get_function_configuration(
            FunctionName=outputs["UpdateProcessorName"]
        )["Environment"]["Variables"]["QUEUE_URL"]
        names[url] = "Queue"
    return names


def _partition_keys(site: Site) -> Callable[[str, str], str]:
    @cache
    def partition_key(table: str, index: str) -> str:
        described = site.aws.dynamodb.describe_table(TableName=table)["Table"]
        schemas = {one["IndexName"]: one for one in described.get("GlobalSecondaryIndexes", [])}
        schema = schemas[index]["KeySchema"] if index else described["KeySchema"]
        return next(one["AttributeName"] for one in schema if one["KeyType"] == "HASH")

    return partition_key


def main() -> int:
    """Record; returns pytest's exit code."""
    return pytest.main(
        [
            *(sys.argv[1:] or ["integration"]),
            "--tidemark-app",
            f"python -m {APP}",
            "--ignore=integration/test_permissions.py",  # it deploys stacks of its own
            "-p",
            "integration.recording_session",
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
