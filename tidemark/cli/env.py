"""The verb env."""

import json
import shlex

import typer

from tidemark import targets
from tidemark.aws.connection import variables
from tidemark.cli import known
from tidemark.cli.options import AsJson, KnownTarget
from tidemark.errors import NotStartedError
from tidemark.host import deployment as deployments
from tidemark.host.state import state_dir
from tidemark.targets.base import Target, TargetOptions
from tidemark.targets.stopping import is_started

# What a shell may have of another account, and programs would heed beside the keys.
_OF_OTHERS = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN")


def env(
    target: KnownTarget = None,
    as_json: AsJson = False,  # noqa: FBT002 -- a flag of the command line
) -> None:
    """Print the variables by which other tools reach a target that is up.

    For `aws`, boto3 and Terraform: `eval "$(tidemark env)"`.
    """
    if target is not None:
        _refuse_accounts(targets.class_of(target))
    chosen = _choose(target)
    _refuse_accounts(type(chosen))
    found = variables(known.connect(chosen))
    if as_json:
        typer.echo(json.dumps(found, indent=2, sort_keys=True))
        return
    typer.echo(f"unset {' '.join(_OF_OTHERS)}")
    for name, value in sorted(found.items()):
        typer.echo(f"export {name}={shlex.quote(value)}")


def _refuse_accounts(kind: type[Target]) -> None:
    if kind.asks_first:
        raise NotStartedError(
            f"`tidemark env` prints nobody's own keys: on {kind.name}, choose yours by AWS_PROFILE."
        )


def _choose(target_name: str | None) -> Target:
    """The target of that name, or the only one that is known here.

    Raises:
        NotStartedError: There is none, or there are several.
    """
    started = (
        target
        for name in targets.names()
        if targets.class_of(name).is_ours
        and is_started(target := targets.create(name, TargetOptions(state=state_dir())))
    )
    of_stacks = map(targets.of_deployment, deployments.known())
    found = {
        (one.name, one.options.endpoint_url if one.takes_endpoint_url else None): one
        for one in (*started, *of_stacks)
        if target_name in (None, one.name)
    }
    if not found:
        kind = f"{target_name} target" if target_name else "target"
        raise NotStartedError(f"No {kind} is known in {state_dir()}: run `tidemark up` first.")
    if len(found) > 1:
        names = ", ".join(" at ".join(filter(None, one)) for one in found)
        raise NotStartedError(f"Several targets are known ({names}): choose with --target.")
    return next(iter(found.values()))
