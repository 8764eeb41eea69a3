"""The verbs that change what runs: up, down, deploy, destroy, diff."""

import os
import shutil
import sys
from pathlib import Path

import typer

from tidemark import deployment as deployments
from tidemark import targets, teardown
from tidemark.bringup import BringUp
from tidemark.cdk import Cdk, last_words
from tidemark.cli import recorded
from tidemark.cli.options import (
    DEFAULT_STACK_NAME,
    WIRINGS,
    EndpointUrl,
    Port,
    RecordedStack,
    RecordedTarget,
    StackToStart,
    TargetToStart,
    Wiring,
)
from tidemark.deployment import Deployment
from tidemark.errors import RefusedError, TidemarkError
from tidemark.locking import locked
from tidemark.processes import Children
from tidemark.progress import Steps
from tidemark.proof import Proof
from tidemark.state import require_checkout, state_dir
from tidemark.synthesis import App
from tidemark.targets.base import Target, TargetOptions
from tidemark.targets.choice import choose


def register(app: typer.Typer) -> None:
    """Add the verbs to the program."""
    for verb in (up, down, deploy, destroy, diff):
        app.command()(verb)


def up(
    target: TargetToStart = "auto",
    stack_name: StackToStart = DEFAULT_STACK_NAME,
    wiring: Wiring = None,
    endpoint_url: EndpointUrl = None,
    port: Port = None,
) -> None:
    """Start a target, deploy the stack and prove that it works.

    Runs again at any time: what runs is found, what changed is deployed, and the proof is made
    anew.
    """
    deployments.check_stack_name(stack_name)
    require_checkout("up")
    state = state_dir()
    options = TargetOptions(state=state, endpoint_url=endpoint_url, port=port)
    with locked(state):
        choice = choose(target, options, os.environ)
        if choice.why is not None:
            typer.echo(f"Target {choice.name}: {choice.why}", err=True)
        chosen = targets.create(choice.name, options)
        brought = _bring_up(chosen, stack_name, _checked(wiring or "queued"), "up")
        deployment, proof = brought.up()
    _print_success(deployment, proof)


def down(target: RecordedTarget = None) -> None:
    """Stop and remove everything that up started.

    Deployments on an endpoint that is not ours are deleted there. Nothing to do is fine too.
    """
    if target is not None and target not in targets.NAMES:
        raise RefusedError(f"There is no target {target!r}: {', '.join(targets.NAMES)}.")
    state = state_dir()
    with locked(state):
        for line in teardown.down(state, target):
            typer.echo(line)


def deploy(
    target: RecordedTarget = None, stack_name: RecordedStack = None, wiring: Wiring = None
) -> None:
    """Deploy the stack to the target that runs."""
    require_checkout("deploy")
    with locked(state_dir()):
        deployment, chosen = recorded.chosen(target, stack_name)
        connection = recorded.answering(chosen)
        wanted = _checked(wiring or deployment.wiring)
        deployed = _bring_up(chosen, deployment.stack_name, wanted, "deploy").deploy(connection)
    typer.echo(f"{deployed.stack_name} is deployed to {deployed.api_url}")


def destroy(target: RecordedTarget = None, stack_name: RecordedStack = None) -> None:
    """Delete the stack; the target runs on."""
    state = state_dir()
    with locked(state):
        deployment, chosen = recorded.chosen(target, stack_name)
        recorded.answering(chosen)
        typer.echo(teardown.destroy(state, deployment))


def diff(
    target: RecordedTarget = None, stack_name: RecordedStack = None, wiring: Wiring = None
) -> None:
    """Show what a deploy would change."""
    require_checkout("diff")
    deployment, chosen = recorded.chosen(target, stack_name)
    connection = recorded.answering(chosen)
    bring_up = _bring_up(
        chosen, deployment.stack_name, _checked(wiring or deployment.wiring), "diff"
    )
    finished = bring_up.diff(connection)
    if finished.exit_code != 0:
        raise TidemarkError(f"The diff failed: {last_words(finished.output)}.")
    typer.echo(finished.output.rstrip())


def _bring_up(target: Target, stack_name: str, wiring: str, verb: str) -> BringUp:

    checkout = require_checkout(verb)
    state = state_dir()
    return BringUp(
        app=App(checkout, stack_name, {"wiring": wiring}),
        target=target,
        cdk=Cdk(checkout, state, Children()),
        state=state,
        steps=Steps(),
    )


def _checked(wiring: str) -> str:
    if wiring not in WIRINGS:
        raise RefusedError(f"There is no wiring {wiring!r}: choose {' or '.join(WIRINGS)}.")
    return wiring


def _print_success(deployment: Deployment, proof: Proof) -> None:
    where = deployment.endpoint or "AWS"
    program = _program()
    choice = _choice(deployment)
    typer.echo(
        f"""
{deployment.stack_name} is up, and works: {proof.balance} was deposited and read back.

  target          {deployment.target} ({where}, {deployment.region})
  API             {deployment.api_url}
  projection lag  {proof.lag_ms} ms

Try next:
  {program} call GET /accounts/{proof.account_id}{choice}
  {program} status{choice}
  {program} load{choice}
"""
    )


def _choice(deployment: Deployment) -> str:
    """The options that choose this deployment, where they are needed."""
    others = [one for one in deployments.recorded() if one != deployment]
    words = []
    if any(one.stack_name == deployment.stack_name for one in others):
        words.append(f" --target {deployment.target}")
    if any(one.stack_name != deployment.stack_name for one in others):
        words.append(f" --stack-name {deployment.stack_name}")
    return "".join(words)


def _program() -> str:
    """The console script, as it can be typed here."""
    script = Path(sys.argv[0]).resolve()
    here = Path.cwd().resolve()
    if script.is_relative_to(here):
        return str(script.relative_to(here))  # right whether or not it is on the PATH
    found = shutil.which("tidemark")
    if found is not None and Path(found).resolve() == script:
        return "tidemark"
    return str(script)
