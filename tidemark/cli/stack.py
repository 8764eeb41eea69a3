"""The verbs that change what runs: up, down, deploy, destroy, diff."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import typer

from tidemark import targets
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
from tidemark.deploy import teardown
from tidemark.deploy.bringup import BringUp
from tidemark.deploy.cdk import PROGRAMS, Cdk, last_words
from tidemark.deploy.synthesis import App
from tidemark.errors import RefusedError, TidemarkError
from tidemark.host import deployment as deployments
from tidemark.host.locking import locked
from tidemark.host.processes import Children, stop_forgotten
from tidemark.host.progress import Steps
from tidemark.host.state import require_checkout, state_dir
from tidemark.targets.base import Target, TargetOptions
from tidemark.targets.choice import choose

_CHILDREN = "children"


def register(app: typer.Typer) -> None:
    """Add the verbs to the program."""
    for verb in (up, down, deploy, destroy, diff):
        app.command()(verb)


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
    contexts = choices.chosen(context, wiring=wiring, retention=retention)
    tags = choices.pairs(tag, "--tag")
    require_checkout("up")
    state = state_dir()
    options = TargetOptions(state=state, endpoint_url=endpoint_url, port=port)
    with _at_work(state):
        choice = choose(target, options, os.environ)
        if choice.why is not None:
            typer.echo(f"Target {choice.name}: {choice.why}", err=True)
        chosen = targets.create(choice.name, options)
        bring_up = _bring_up(
            chosen,
            stack_name,
            {"wiring": "queued", **contexts},
            verb="up",
            tags=tags,
            deploy_with=deploy_with,
            yes=yes,
        )
        brought = _with_kept_retention(bring_up).up()
    next_steps.print_for(brought)


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
        raise RefusedError(
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
    contexts = choices.chosen(context, wiring=wiring, retention=retention)
    tags = choices.pairs(tag, "--tag")
    require_checkout("deploy")
    with _at_work(state_dir()):
        deployment, chosen = known.chosen(target, stack_name)
        connection = known.answering(chosen)
        bring_up = _bring_up(
            chosen,
            deployment.stack_name,
            {"wiring": deployment.wiring, **contexts},
            verb="deploy",
            tags=tags,
            deploy_with=deploy_with,
            yes=yes,
        )
        [deployed] = _with_kept_retention(bring_up).deploy(connection)
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
    contexts = choices.chosen(context, wiring=wiring, retention=retention)
    require_checkout("diff")
    chosen, connection, name, deployed = known.compared(target, stack_name)
    bring_up = _bring_up(chosen, name, {**deployed, **contexts}, verb="diff", yes=True)
    finished = _with_kept_retention(bring_up).diff(connection)
    if finished.exit_code != 0:
        raise TidemarkError(f"The diff failed: {last_words(finished.output)}.")
    typer.echo(finished.output.rstrip())


@contextmanager
def _at_work(state: Path) -> Iterator[None]:
    """Hold the state folder, rid of what an earlier verb left that was killed."""
    with locked(state):
        stop_forgotten(state / _CHILDREN)
        yield


def _destroy(target: str | None, stack_name: str | None, *, yes: bool) -> None:
    if target is not None:
        consent.for_target(targets.class_of(target), is_given=yes)  # before anything is called
    state = state_dir()
    with _at_work(state):
        deployment, chosen = known.deletable(target, stack_name)
        agree = consent.for_target(type(chosen), is_given=yes)
        known.answering(chosen)
        typer.echo(teardown.destroy(state, deployment, agree))


def _bring_up(
    target: Target,
    stack_name: str,
    contexts: Mapping[str, str],
    *,
    verb: str,
    tags: Mapping[str, str] | None = None,
    deploy_with: str = "cdk",
    yes: bool = False,
) -> BringUp:
    checkout = require_checkout(verb)
    state = state_dir()
    return BringUp(
        app=App(checkout, stack_name, contexts),
        target=target,
        cdk=Cdk(checkout, state, Children(state / _CHILDREN), _program_for(target, deploy_with)),
        state=state,
        steps=Steps(),
        tags=tags or {},
        agree=consent.for_target(type(target), is_given=yes),
    )


def _program_for(target: Target, wanted: str) -> str:
    if wanted not in PROGRAMS:
        raise RefusedError(f"Nothing deploys with {wanted!r}: choose {' or '.join(PROGRAMS)}.")
    if wanted != PROGRAMS[0] and target.asks_first:
        raise RefusedError(f"{wanted} deploys to emulators: leave it out with --target aws.")
    return wanted


def _with_kept_retention(bring_up: BringUp) -> BringUp:
    """The same, keeping the retention of what is deployed where none is named."""
    target, stack_name = bring_up.target, bring_up.app.stack_name

    def kept() -> Mapping[str, str]:
        # A target that is ours need not run yet; any other is there, or says why it is not.
        connection = target.find() if target.is_ours else target.start()
        return choices.kept_retention(connection, stack_name)

    app = bring_up.app
    if "retention" in app.contexts:
        return bring_up
    return replace(bring_up, app=replace(app, contexts={**kept(), **app.contexts}))
