"""The roles for GitHub suffice: what `up`, `status` and `diff` call is what they may do."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from acceptance.program import CHECKOUT, VERB_TAKES_AT_MOST_S
from tidemark.errors import ExitCode
from tidemark.permissions.policies import statements_of_role
from tidemark.permissions.statements import Request, is_allowed
from tidemark.permissions.template import ACCOUNT, REGION, Template
from tools.aws_roles import Roles

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from acceptance.program import Program

TEMPLATE = Template(Roles("ada/tidemark", "testbed", "Tidemark").template())
# By service, the parameters that name what a call is made on, and its ARN's end.
NAMED_BY = {
    "cloudformation": (("StackName",), "stack/{}/1"),
    "dynamodb": (("TableName", "RequestItems"), "table/{}"),
    "lambda": (("FunctionName",), "function:{}"),
    "logs": (("logGroupName",), "log-group:{}:*"),
    "sqs": (("QueueName", "QueueUrl"), "{}"),
}


def requests(line: str) -> Iterator[Request]:
    """What a noted call is authorised as; nothing for one that anybody may make."""
    service, operation, parameters = json.loads(line)
    if operation == "GetCallerIdentity":
        return
    action = f"{service}:{operation}".replace("lambda:Invoke", "lambda:InvokeFunction")
    keys, end = NAMED_BY[service]
    for named in (parameters[key] for key in keys if key in parameters):
        for name in [named] if isinstance(named, str) else named:
            resource = end.format(as_on_aws(name))
            yield Request(action, f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}")


def as_on_aws(name: str) -> str:
    """The name that AWS gives, where the embedded target gives a log group or a queue another."""
    of_a_stack = re.fullmatch(r"/aws/cloudformation/(\w+)/(\w+)", name)
    return "-".join(of_a_stack.groups()) if of_a_stack else re.sub(r"^https?://.*/", "", name)


@pytest.fixture
def noted(program: Program, tmp_path: Path) -> Any:
    """Runs a verb; returns what it called that a role may not, and how much that it may."""

    def run(role: str, *arguments: str) -> tuple[list[Request], int]:
        path = tmp_path / "calls"
        path.unlink(missing_ok=True)
        ended = subprocess.run(
            [sys.executable, "-m", "acceptance.noting_calls", path, *arguments],
            cwd=CHECKOUT,
            env=program.env,
            capture_output=True,
            text=True,
            check=False,
            timeout=VERB_TAKES_AT_MOST_S,
        )
        assert ended.returncode == ExitCode.OK, ended.stderr
        made = [one for line in path.read_text().splitlines() for one in requests(line)]
        statements = statements_of_role(TEMPLATE, TEMPLATE.resources[role])
        denied = [one for one in made if not is_allowed(one, statements)]
        return denied, len(made) - len(denied)

    return run


def test_what_the_workflow_calls_its_roles_may_do(noted: Any) -> None:
    denied, count = noted("DeployRole", "up", "--target", "embedded")
    assert (denied, count > 10) == ([], True)

    denied, count = noted("DeployRole", "status")
    assert (denied, count > 0) == ([], True)

    denied, _ = noted("DiffRole", "diff")
    assert denied == []
