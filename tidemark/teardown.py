"""Taking down: stacks deleted, targets stopped, records removed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError

from tidemark import consent, deployment, holdings, stacks, targets
from tidemark.aws import Clients
from tidemark.errors import RefusedError, TidemarkError
from tidemark.targets.base import TargetOptions

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tidemark.consent import Consent
    from tidemark.deployment import Deployment
    from tidemark.targets.base import Target


def down(
    state: Path, target_name: str | None = None, agree: Consent = consent.nobody
) -> Iterator[str]:
    """Take down all that `up` started, or what it started on one target.

    What is on a target that asks first stays, unless that target is named.

    Yields:
        A line for each thing that is gone, or stays.
    """
    names = [target_name] if target_name is not None else list(targets.names())
    found_any = False
    for one in deployment.recorded(state):
        if one.target not in names:
            continue
        if target_name is None and targets.class_of(one.target).asks_first:
            names = [name for name in names if name != one.target]
            yield stays(one)
        elif not targets.class_of(one.target).is_ours:
            found_any = True
            yield destroy(state, one, agree)
    for name in names:
        if targets.create(name, TargetOptions(state=state)).stop():
            found_any = True
            yield f"The {name} target is stopped."
    for path in deployment.paths(state):
        if path.name.partition(".")[0] in names:
            path.unlink(missing_ok=True)
    if not found_any:
        yield "Nothing was running."


def stays(recorded: Deployment) -> str:
    """That a deployment was not taken down, and how it would be."""
    return (
        f"{recorded.stack_name} on {recorded.target} ({recorded.region}) stays: "
        f"`tidemark down --target {recorded.target}` deletes it."
    )


def destroy(state: Path, recorded: Deployment, agree: Consent = consent.nobody) -> str:
    """Delete a recorded deployment's stack and forget it; say what happened.

    Raises:
        TidemarkError: The stack cannot be deleted.
        RefusedError: It is protected, or nobody agreed.
    """
    where = f"{recorded.stack_name} on {recorded.endpoint or recorded.target}"
    target = targets.of_deployment(recorded)
    if target.asks_first:
        target.start()
        _ask(target, recorded, agree)
    elif target.find() is None:
        if target.is_ours:
            raise TidemarkError(f"The {target.name} target does not answer: run `tidemark up`.")
        _forget(state, recorded)
        return f"{where} is forgotten: nothing answers there."
    try:
        was_there = stacks.delete(Clients.of(recorded), recorded.stack_name)
    except BotoCoreError as error:
        raise TidemarkError(f"{where} cannot be deleted: {error}.") from error
    _forget(state, recorded)
    return f"{where} is deleted." if was_there else f"{where} was gone already."


def _forget(state: Path, recorded: Deployment) -> None:
    deployment.path_of(recorded.target, recorded.stack_name, state).unlink(missing_ok=True)


def _ask(target: Target, recorded: Deployment, agree: Consent) -> None:
    """Show what a stack holds, and ask whether it may go.

    Raises:
        RefusedError: It is protected, or the answer is no.
    """
    clients = Clients.of(recorded)
    live = stacks.settled(clients, recorded.stack_name)
    if live is None:
        return  # there is nothing to lose
    if live.is_protected:
        raise RefusedError(
            f"{recorded.stack_name} is protected from deletion, and keeps its tables: "
            f"`tidemark deploy --target {target.name} --retention destroy` lifts both."
        )
    account = recorded.settings.get("account", "unknown")
    shown = [
        f"AWS account {account}, region {recorded.region}, as {target.identity}",
        "",
        f"Deleting {recorded.stack_name} ({live.status}) deletes for good:",
        *(f"  {one}" for one in holdings.of(recorded, clients)),
        "What stays: the CDK's toolkit stack, and API Gateway's log role of the account.",
    ]
    agree(shown, f"Delete {recorded.stack_name} in account {account}, {recorded.region}?")
