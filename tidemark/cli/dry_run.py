"""What a verb would do on AWS, in the very words that it would run. Calls nothing."""

from __future__ import annotations

import json
import os
import shlex
from typing import TYPE_CHECKING

import typer

from tidemark.aws.connection import Connection, printable
from tidemark.deploy import synthesis
from tidemark.targets import aws_log_role
from tidemark.targets.aws import ACCOUNT_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tidemark.deploy.bringup import BringUp
    from tidemark.deploy.cdk import Invocation
    from tidemark.host.deployment import Deployment
    from tidemark.targets.aws import AwsTarget

_ANY_ACCOUNT = "ACCOUNT"


def of_up(
    bring_up: BringUp, target: AwsTarget, known: Deployment | None, named: Mapping[str, str]
) -> None:
    """Print what `up` would run; see :func:`of_deploy`."""
    _print(*_heading(target), *_deploying(bring_up, target, _kept(bring_up, known, named)))
    _print("open an account, deposit, and read it back, by the deployed API")
    _print(*_environment(bring_up, target))


def of_deploy(
    bring_up: BringUp, target: AwsTarget, known: Deployment | None, named: Mapping[str, str]
) -> None:
    """Print what `deploy` would run.

    Args:
        bring_up: What would be done.
        target: Where to.
        known: What is recorded of the stack, if anything is.
        named: The context values that the caller chose.
    """
    looked_at = [*_found(bring_up, known, named), *_kept(bring_up, known, named)]
    _print(*_heading(target), *_deploying(bring_up, target, looked_at))
    _print(*_environment(bring_up, target))


def of_destroy(target: AwsTarget, stack_name: str) -> None:
    """Print what `down` or `destroy` would call."""
    _print(
        *_heading(target),
        f"look at {stack_name} (cloudformation:DescribeStacks) until no change of it is under "
        "way; refuse if it is protected from deletion or of somebody else's making",
        f"count what {stack_name} holds (dynamodb:Scan, sqs:GetQueueAttributes), show it, and ask",
        f"delete the stack (cloudformation:DeleteStack {stack_name}), and wait until it is gone",
        "",
        f"No program is started. The calls go to {target.region}, and by these variables of yours:",
        *_variables(os.environ),
    )


def _heading(target: AwsTarget) -> Iterator[str]:
    account = target.expected_account
    whose = f"account {account}" if account else f"any account ({ACCOUNT_VARIABLE} names one)"
    yield f"AWS, region {target.region}, {whose}"
    yield "Nothing is done. In this order, it would:"
    yield ""
    only = f", and refuse any account but {account}" if account else ""
    yield f"ask who the credentials belong to (sts:GetCallerIdentity){only}"


def _found(bring_up: BringUp, known: Deployment | None, named: Mapping[str, str]) -> Iterator[str]:
    """How `deploy` finds a stack that was deployed elsewhere."""
    if known is None:
        wiring = "" if "wiring" in named else ", and take its wiring (queued in what follows)"
        name = bring_up.app.stack_name
        yield f"look for {name} there, because it is not recorded here{wiring}"


def _kept(bring_up: BringUp, known: Deployment | None, named: Mapping[str, str]) -> Iterator[str]:
    """Where the retention comes from, unless it is named."""
    if "retention" not in named:
        kept = bring_up.app.contexts.get("retention", "destroy")
        why = "is not recorded here" if known is None else f"was {kept} when it was recorded"
        yield (
            f"read the template of {bring_up.app.stack_name} (cloudformation:GetTemplate), if it "
            f"is there, and keep its retention, which {why} (what follows is for {kept})"
        )


def _deploying(bring_up: BringUp, target: AwsTarget, looked_at: Iterable[str]) -> Iterator[str]:
    name = bring_up.app.stack_name
    yield from looked_at
    yield "synthesise, aside and then moved to that CDK_OUTDIR, unless that is done already:"
    yield f"  cd {shlex.quote(str(bring_up.app.checkout))}"
    yield _command(bring_up.app.program, _synthesis_environment(bring_up))
    yield (
        f"look at the stacks {name} and CDKToolkit and at API Gateway's log role, show what it "
        "would create and what that costs, and ask"
    )
    yield (
        f"create the IAM role {aws_log_role.ROLE_NAME} and name it in the settings of API Gateway, "
        "unless those have one"
    )
    yield "bootstrap, unless that is done already:"
    yield from _invocation(_bootstrap(bring_up, target))
    yield "deploy, unless nothing changed, and with the other tags that the stack has by then:"
    yield from _invocation(_deploy(bring_up, target))


def _environment(bring_up: BringUp, target: AwsTarget) -> Iterator[str]:
    yield ""
    yield "Bootstrap and deploy have your own variables without AWS_* and CDK_*, and these:"
    yield from _variables(_deploy(bring_up, target).env)
    yield "Synthesis has the same PATH, its own CDK_* as shown, and no AWS_*."


def _bootstrap(bring_up: BringUp, target: AwsTarget) -> Invocation:
    account = target.expected_account
    connection = Connection(region=target.region, account=account)
    return bring_up.cdk.bootstrap(connection, account or _ANY_ACCOUNT)


def _deploy(bring_up: BringUp, target: AwsTarget) -> Invocation:
    connection = Connection(region=target.region, account=target.expected_account)
    return bring_up.cdk.deploy(synthesis.folder_of(bring_up.app), connection, bring_up.all_tags)


def _synthesis_environment(bring_up: BringUp) -> Mapping[str, str]:
    return {
        "CDK_CONTEXT_JSON": json.dumps(bring_up.app.all_contexts),
        "CDK_OUTDIR": str(synthesis.folder_of(bring_up.app)),
    }


def _invocation(invocation: Invocation) -> Iterator[str]:
    yield f"  cd {shlex.quote(str(invocation.cwd))}"
    yield f"  {shlex.join(invocation.command)}"


def _command(words: list[str], env: Mapping[str, str]) -> str:
    variables = " ".join(f"{key}={shlex.quote(value)}" for key, value in env.items())
    return f"  {variables} {shlex.join(words)}"


def _variables(env: Mapping[str, str]) -> Iterator[str]:
    """What concerns AWS, and what a child gets that its caller does not have, such as a PATH."""
    own = {
        key: value
        for key, value in env.items()
        if not key.startswith("AWS_") and os.environ.get(key) != value
    }
    for key, value in sorted((own | printable(env)).items()):
        yield f"  {key}={value}"
    if not any(key in os.environ for key in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID")):
        yield "  (no AWS_PROFILE and no AWS_ACCESS_KEY_ID: the default profile, or the machine's role)"  # noqa: E501 -- a line for people


def _print(*lines: str) -> None:
    for line in lines:
        typer.echo(line)
