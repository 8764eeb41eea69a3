"""The verbs that change what runs: up, down, deploy, destroy, diff."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import typer

from tidemark import targets
from tidemark.aws.clients import AwsClients
from tidemark.aws.connection import Connection
from tidemark.cli import choices, consent, known, next_steps
from tidemark.cli.options import (
    DEFAULT_STACK_NAME,
    Context,
    DeployWith,
    EndpointUrl,
    KnownStack,
    KnownTarget,
    Port,
    Retention,
    StackToStart,
    Tags,
    TargetToStart,
    Wiring,
    Yes,
)
from tidemark.deploy import kept, teardown
from tidemark.deploy.bringup import BringUp
from tidemark.deploy.cdk import PROGRAMS, Cdk
from tidemark.deploy.consent import Consent
from tidemark.deploy.synthesis import App
from tidemark.errors import NotStartedError
from tidemark.host import deployment as deployments
from tidemark.host.locking import locked
from tidemark.host.processes import Children
from tidemark.host.progress import Steps
from tidemark.host.state import require_checkout, state_dir
from tidemark.host.undo import Journal
from tidemark.targets.base import LostKeyError, Target, TargetOptions
from tidemark.targets.choice import choose
from tidemark.testing.session import heal


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What a verb is to bring up, as its options say.

    Attributes:
        checkout: The folder of the CDK app.
        named: The context values that the options name.
        tags: The stack tags that they name.
        program: The program that deploys.
        agrees: Whether the caller agrees to what is shown.
    """

    checkout: Path
    named: Mapping[str, str]
    tags: Mapping[str, str] = field(default_factory=dict)
    program: str = PROGRAMS[0]
    agrees: bool = False

    def check(self, target: Target) -> Consent:
        """How the verb asks before it changes something on a target.

        Raises:
            NotStartedError: The options do not go with the target, or nobody is there to answer.
        """
        if self.program not in PROGRAMS:
            raise NotStartedError(
                f"Nothing deploys with {self.program!r}: choose {' or '.join(PROGRAMS)}."
            )
        if self.program != PROGRAMS[0] and target.asks_first:
            raise NotStartedError(
                f"{self.program} deploys to emulators: leave it out with --target {target.name}."
            )
        return consent.for_target(type(target), is_given=self.agrees)

    def bring_up(self, target: Target, connection: Connection | None, stack_name: str) -> BringUp:
        """What brings the stack up: as the options name, else as it is deployed.

        Args:
            target: Where to.
            connection: How to reach it; ``None``: it does not run yet, and holds nothing.
            stack_name: The stack's name.
        """
        agree, state = self.check(target), state_dir()
        deployed = {} if connection is None else kept.choices(AwsClients(connection), stack_name)
        if said := choices.describe(deployed, self.named):
            typer.echo(f"Stack {stack_name}: {said}.", err=True)
        return BringUp(
            app=App(self.checkout, stack_name, choices.keep(deployed, self.named)),
            target=target,
            cdk=Cdk(self.checkout, state, Children(Journal(state)), self.program),
            state=state,
            steps=Steps(),
            tags=self.tags,
            agree=agree,
        )


def up(  # noqa: PLR0913 -- the options of the command line
    *,
    target: TargetToStart = "auto",
    stack_name: StackToStart = DEFAULT_STACK_NAME,
    wiring: Wiring = None,
    endpoint_url: EndpointUrl = None,
    port: Port = None,
    retention: Retention = None,
    context: Context = None,
    tag: Tags = None,
    deploy_with: DeployWith = "cdk",
    yes: Yes = False,
) -> None:
    """Start a target, deploy the stack and prove that it works.

    Runs again at any time: what runs is found, what changed is deployed, and the proof is made
    anew.
    """
    deployments.check_stack_name(stack_name)
    named = choices.choose(context, wiring=wiring, retention=retention)
    tags = choices.pairs(tag, "--tag")
    wanted = _Wanted(require_checkout("up"), named, tags, deploy_with, yes)
    state = state_dir()
    options = TargetOptions(state=state, endpoint_url=endpoint_url, port=port)
    with _at_work(state):
        choice = choose(target, options, os.environ)
        if choice.why is not None:
            typer.echo(f"Target {choice.name}: {choice.why}", err=True)
        chosen = targets.create(choice.name, options)
        wanted.check(chosen)  # before anything is called
        # One that is ours need not run yet; any other is there, or says why it is not.
        connection = _found(chosen) if chosen.is_ours else chosen.start()
        brought = wanted.bring_up(chosen, connection, stack_name).up()
    next_steps.print_for(brought)


def _found(chosen: Target) -> Connection | None:
    try:
        return chosen.find()
    except LostKeyError:
        return None  # starting it says so, and starts it anew


def down(
    *,
    target: KnownTarget = None,
    stack_name: KnownStack = None,
    yes: Yes = False,
) -> None:
    """Stop and remove everything that up started.

    Deployments on an endpoint that is not ours are deleted there. Those on AWS stay, unless it is
    named. Nothing to do is fine too.
    """
    kind = None if target is None else targets.class_of(target)
    if kind is not None and kind.asks_first:
        _destroy(target, stack_name, yes=yes)
        return
    if stack_name is not None:
        raise NotStartedError(
            "down removes all stacks with their target: `tidemark destroy` deletes one of them."
        )
    state = state_dir()
    with _at_work(state):
        for line in teardown.down(state, target):
            typer.echo(line)


def deploy(
    *,
    target: KnownTarget = None,
    stack_name: KnownStack = None,
    wiring: Wiring = None,
    retention: Retention = None,
    context: Context = None,
    tag: Tags = None,
    deploy_with: DeployWith = "cdk",
    yes: Yes = False,
) -> None:
    """Deploy the stack to the target that runs."""
    named = choices.choose(context, wiring=wiring, retention=retention)
    tags = choices.pairs(tag, "--tag")
    wanted = _Wanted(require_checkout("deploy"), named, tags, deploy_with, yes)
    with _at_work(state_dir()):
        deployment, chosen = known.choose(target, stack_name)
        connection = known.connect(chosen)
        bring_up = wanted.bring_up(chosen, connection, deployment.stack_name)
        [deployed] = bring_up.deploy()
    typer.echo(f"{deployed.stack_name} is deployed to {deployed.api_url}")


def destroy(
    *,
    target: KnownTarget = None,
    stack_name: KnownStack = None,
    yes: Yes = False,
) -> None:
    """Delete the stack; the target runs on."""
    _destroy(target, stack_name, yes=yes)


def diff(
    *,
    target: KnownTarget = None,
    stack_name: KnownStack = None,
    wiring: Wiring = None,
    retention: Retention = None,
    context: Context = None,
) -> None:
    """Show what a deploy would change."""
    named = choices.choose(context, wiring=wiring, retention=retention)
    wanted = _Wanted(require_checkout("diff"), named, agrees=True)
    with _at_work(state_dir()):
        place, chosen = known.choose_place(target, stack_name)
        connection = known.connect(chosen)
        said = wanted.bring_up(chosen, connection, place.stack_name).diff(connection)
    typer.echo(said)


@contextmanager
def _at_work(state: Path) -> Iterator[None]:
    """Hold the state folder, rid of what runs left that were killed."""
    with locked(state):
        for line in heal(state, is_held=True):
            typer.echo(line, err=True)
        yield


def _destroy(target: str | None, stack_name: str | None, *, yes: bool) -> None:
    if target is not None:
        consent.for_target(targets.class_of(target), is_given=yes)  # before anything is called
    state = state_dir()
    with _at_work(state):
        place, chosen = known.choose_place(target, stack_name)
        agree = consent.for_target(type(chosen), is_given=yes)
        known.connect(chosen)
        typer.echo(teardown.destroy(state, place, agree))
