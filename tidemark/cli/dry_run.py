"""What a verb would do on AWS, in the very words that it would run. Calls nothing."""

from __future__ import annotations

import json
import os
import shlex
from typing import TYPE_CHECKING

import typer

from tidemark import environment, gateway_logs, synthesis
from tidemark.environment import Connection
from tidemark.targets.aws import ACCOUNT_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tidemark.bringup import BringUp
    from tidemark.cdk import Invocation
    from tidemark.targets.aws import AwsTarget

_ANY_ACCOUNT = "ACCOUNT"


def of_deploy(bring_up: BringUp, target: AwsTarget, *, proves: bool) -> None:
    """Print what `up` or `deploy` would run."""
    target.check()
    account = target.expected_account
    connection = Connection(region=target.region, account=account)
    assembly = synthesis.folder_of(bring_up.app)
    bootstrap = bring_up.cdk.bootstrap(connection, account or _ANY_ACCOUNT)
    deploy = bring_up.cdk.deploy(assembly, connection, bring_up.all_tags)
    name = bring_up.app.stack_name
    _print(_where(target, account))
    _print(
        "Nothing is done. In this order, it would:",
        "",
        "ask who the credentials belong to (sts:GetCallerIdentity)"
        + (f", and refuse any account but {account}" if account else ""),
        "synthesise, unless that is done already:",
        *_command(bring_up.app.program, _synthesis_environment(bring_up)),
        f"look at the stacks {name} and CDKToolkit and at API Gateway's log role, show what it "
        "would create and what that costs, and ask",
        f"create the IAM role {gateway_logs.ROLE_NAME} and name it in the settings of API Gateway, "
        "unless those have one",
        "bootstrap, unless that is done already:",
        *_invocation(bootstrap),
        "deploy, unless nothing changed:",
        *_invocation(deploy),
    )
    if proves:
        _print("open an account, deposit, and read it back, by the deployed API")
    _print(
        "",
        "The environment of both, besides your own variables without AWS_* and CDK_*:",
    )
    _print(*_variables(deploy.env))


def of_destroy(target: AwsTarget, stack_name: str) -> None:
    """Print what `down` or `destroy` would call."""
    target.check()
    _print(_where(target, target.expected_account))
    _print(
        "Nothing is done. In this order, it would:",
        "",
        "ask who the credentials belong to (sts:GetCallerIdentity)",
        f"count what {stack_name} holds (dynamodb:Scan, sqs:GetQueueAttributes), show it, and ask",
        f"delete the stack (cloudformation:DeleteStack {stack_name}), and wait until it is gone",
        "",
        "The environment that counts:",
        *_variables(environment.for_children(Connection(region=target.region))),
    )


def _where(target: AwsTarget, account: str | None) -> str:
    whose = f"account {account}" if account else f"any account ({ACCOUNT_VARIABLE} names one)"
    return f"AWS, region {target.region}, {whose}"


def _synthesis_environment(bring_up: BringUp) -> Mapping[str, str]:
    return {
        "CDK_CONTEXT_JSON": json.dumps(bring_up.app.all_contexts),
        "CDK_OUTDIR": str(synthesis.folder_of(bring_up.app)),
    }


def _invocation(invocation: Invocation) -> Iterator[str]:
    yield f"  cd {shlex.quote(str(invocation.cwd))}"
    yield f"  {shlex.join(invocation.command)}"


def _command(words: list[str], env: Mapping[str, str]) -> Iterator[str]:
    variables = " ".join(f"{key}={shlex.quote(value)}" for key, value in env.items())
    yield f"  {variables} {shlex.join(words)}"


def _variables(env: Mapping[str, str]) -> Iterator[str]:
    for key, value in environment.printable(env).items():
        yield f"  {key}={value}"
    if not any(key in os.environ for key in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID")):
        yield "  (no AWS_PROFILE and no AWS_ACCESS_KEY_ID: the default profile, or the machine's role)"  # noqa: E501 -- a line for people


def _print(*lines: str) -> None:
    for line in lines:
        typer.echo(line)
