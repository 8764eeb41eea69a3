"""A load run whose master and workers are tasks on Fargate, in a stack that goes with it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import typer

from tidemark.aws.clients import AwsClients
from tidemark.deploy import fargate, outputs, teardown
from tidemark.deploy.cdk import Cdk
from tidemark.deploy.fargate import MOST_WORKERS, Machines
from tidemark.deploy.rollout import Rollout
from tidemark.deploy.synthesis import App, synthesise
from tidemark.errors import NotStartedError
from tidemark.history.places import folder_of_runs
from tidemark.host.locking import locked
from tidemark.host.processes import Children
from tidemark.host.progress import Steps
from tidemark.host.state import state_dir
from tidemark.host.undo import Journal, uninterrupted
from tidemark.load.price import told_by
from tidemark.testing.session import heal

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tidemark.host.deployment import Deployment
    from tidemark.targets.base import Target

FARGATE = "fargate"
_APP = ("python", "-m", "stack.load_stack")
_INPUTS = ("cdk.json", "loadtest", "pyproject.toml", "stack", "tidemark", "uv.lock")
_SUMMARY = "summary.md"


def check(on: str, deployment: Deployment, workers: int) -> None:
    """See that such a run can be.

    Args:
        on: Where its machines are to be.
        deployment: What is loaded.
        workers: How many workers there are to be.

    Raises:
        NotStartedError: It cannot.
    """
    if on != FARGATE:
        raise NotStartedError(f"--on {on}: machines are on {FARGATE}, or leave it away.")
    if deployment.target != "aws":
        raise NotStartedError("Machines on Fargate load a stack on AWS: say --target aws.")
    if not 1 <= workers <= MOST_WORKERS:
        raise NotStartedError(f"--workers must be 1 to {MOST_WORKERS}.")


def load(
    deployment: Deployment,
    target: Target,
    checkout: Path,
    arguments: Sequence[str],
    *,
    workers: int,
    run_id: str,
) -> int:
    """Deploy the machines, load, bring the run's folder here, and delete the machines.

    Args:
        deployment: What is loaded.
        target: Its target.
        checkout: Where the app is.
        arguments: Those for Locust, priced.
        workers: How many workers there are.
        run_id: The run's name.

    Returns:
        The master's exit code.

    Raises:
        TidemarkError: The machines did not come, or not to an end of their own.
    """
    state, steps = state_dir(), Steps()
    connection = target.start()
    clients = AwsClients(connection)
    name = fargate.stack_name(deployment)
    with locked(state):
        for line in heal(state, is_held=True):
            typer.echo(line, err=True)
        cdk = Cdk(checkout, state, Children(Journal(state)))
        loaded = json.dumps({**deployment.outputs, "StackName": deployment.stack_name})
        app = App(checkout, name, {"loaded": loaded}, _APP, _INPUTS)
        assembly = synthesise(app, cdk.children, cdk.log_of("synth-load"))
        rollout = Rollout(assembly, target, clients, cdk, steps, noted_in=state)
        rollout.check()
        rollout.changed()  # refuses a stack of that name that somebody else made
        place = outputs.place_of(target, connection, name)
        machines: Machines | None = None
        try:
            [deployed] = rollout.run()
            machines = Machines(clients, deployed.outputs)
            with steps.step(f"{workers} workers load {deployment.stack_name}"):
                code = machines.load(
                    deployment,
                    run_id,
                    arguments,
                    workers=workers,
                    seconds=told_by(arguments, {}).seconds,
                )
            path = machines.fetch(run_id, folder_of_runs(state))
        finally:
            with uninterrupted():
                try:
                    if machines is not None:
                        machines.empty()
                finally:
                    typer.echo(teardown.destroy(state, place, lambda *_: None), err=True)
    if (summary := path / _SUMMARY).is_file():
        typer.echo(summary.read_text(encoding="utf-8"))
    typer.echo(f"Written to {path}; `tidemark check {run_id}` judges it again.")
    return code
