"""Taking down: stacks deleted, targets stopped, what is known of them forgotten."""

from __future__ import annotations

import os
import shlex
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from tidemark import targets
from tidemark.aws import stacks
from tidemark.aws.clients import AwsClients
from tidemark.deploy import consent, holdings
from tidemark.errors import NotStartedError, TidemarkError
from tidemark.host import deployment
from tidemark.host.deployment import Deployment
from tidemark.host.state import STATE_DIR_VARIABLE
from tidemark.host.undo import Journal, Undo, undoer
from tidemark.targets.aws import ACCOUNT_VARIABLE
from tidemark.targets.base import SilentTargetError
from tidemark.targets.stopping import stop_started

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tidemark.deploy.consent import Consent
    from tidemark.targets.base import Target


def down(
    state: Path, target_name: str | None = None, agree: Consent = consent.nobody
) -> Iterator[str]:
    """Take down all that `up` started, or what it started on one target.

    What is on a target that asks first stays, unless that target is named. What cannot be taken
    down stays known, and keeps nothing else from being taken down.

    Yields:
        A line for each thing that is gone, or stays.

    Raises:
        TidemarkError: Something could not be taken down; a sentence for each.
    """
    names = [target_name] if target_name is not None else list(targets.names())
    said: list[str] = []
    failures: list[str] = []
    for one in [one for one in deployment.known(state) if one.target in names]:
        kind = targets.class_of(one.target)
        if kind.asks_first and target_name is None:
            yield stays(one)
        elif not kind.is_ours:
            try:
                said.append(destroy(state, one, agree))
            except TidemarkError as error:
                failures.append(str(error))
            else:
                yield said[-1]
    for name in names:
        undone = stop_started(state, name)
        said += undone.done
        failures += undone.left
        yield from undone.done
    if failures:
        raise TidemarkError("\n".join(failures))
    if not said:
        yield "Nothing was running."


def stays(known: Deployment) -> str:
    """That a deployment was not taken down, and how it would be."""
    return (
        f"{known.stack_name} on {known.target} ({known.region}) stays: "
        f"`tidemark down --target {known.target}` deletes it."
    )


def begin(state: Path, place: Deployment) -> None:
    """Write a stack down that is about to be made, and to be deleted when the run is over."""
    place.save(state)
    chosen = f"--target {place.target} --stack-name {place.stack_name}"
    Journal(state).begin(
        f"{place.stack_name} on {place.target}",
        _undo(state, place),
        remedy=f"{STATE_DIR_VARIABLE}={shlex.quote(str(state))} tidemark destroy {chosen}",
    )


def _undo(state: Path, known: Deployment) -> Undo:
    return partial(delete, state=str(state), target=known.target, stack_name=known.stack_name)


@undoer
def delete(state: str, target: str, stack_name: str) -> str | None:
    """Delete a stack that a run was to have for itself, if it is still known.

    Raises:
        TidemarkError: It cannot be deleted, or nobody answers there.
        NotStartedError: It is not of our making, or nobody named the account that it is in.
    """
    path = deployment.path_of(target, stack_name, Path(state))
    if not path.exists():
        return None
    known = Deployment.load(path)
    chosen = targets.of_deployment(known)
    account = chosen.start().account
    if chosen.asks_first and os.environ.get(ACCOUNT_VARIABLE) != account:
        raise NotStartedError(f"{ACCOUNT_VARIABLE} does not name its account")
    clients = AwsClients(chosen.reach(known.endpoint, known.region))
    live = stacks.await_settled(clients, stack_name)
    if live is not None and not live.is_ours:
        raise NotStartedError("it is not of Tidemark's making")
    stacks.delete(clients, stack_name)
    _forget(Path(state), known)
    return f"{stack_name} on {target} is deleted."


def destroy(state: Path, known: Deployment, agree: Consent = consent.nobody) -> str:
    """Delete a known deployment's stack and forget it; say what happened.

    Raises:
        TidemarkError: The stack cannot be deleted.
        NotStartedError: It is protected, or nobody agreed.
    """
    where = f"{known.stack_name} on {known.endpoint or known.target}"
    target = targets.of_deployment(known)
    if target.asks_first:
        target.start()
        _ask(target, known, agree)
    elif _is_gone(target, deployment.path_of(known.target, known.stack_name, state)):
        if target.is_ours:
            raise TidemarkError(f"The {target.name} target does not answer: run `tidemark up`.")
        _forget(state, known)
        return f"{where} is forgotten: nothing answers there."
    try:
        was_there = stacks.delete(AwsClients(targets.connection_to(known)), known.stack_name)
    except (BotoCoreError, ClientError) as error:
        words = str(error).rstrip(".")
        raise TidemarkError(f"{where} cannot be deleted: {words}.") from error
    _forget(state, known)
    if not was_there:
        return f"There was no {where} in {known.region}: nothing to delete."
    return f"{where} is deleted."


def _is_gone(target: Target, record: Path) -> bool:
    """Whether it is certain that nothing runs there.

    Raises:
        TidemarkError: It is not.
    """
    try:
        return target.find() is None
    except SilentTargetError as silent:
        raise TidemarkError(f"{silent} If it is gone for good, delete {record}.") from silent


def _forget(state: Path, known: Deployment) -> None:
    known.forget(state)
    journal = Journal(state)
    for one in journal.find(_undo(state, known)):
        journal.forget(one)


def _ask(target: Target, known: Deployment, agree: Consent) -> None:
    """Show what a stack holds, and ask whether it may go.

    Raises:
        NotStartedError: It is protected or somebody else's, or the answer is no.
    """
    clients = AwsClients(targets.connection_to(known))
    live = stacks.await_settled(clients, known.stack_name)
    if live is None:
        return  # there is nothing to lose
    account = known.settings.get("account", "unknown")
    if not live.is_ours:
        raise NotStartedError(
            f"{known.stack_name} in account {account}, {known.region}, is not of Tidemark's "
            "making: choose another --stack-name."
        )
    if live.is_protected:
        raise NotStartedError(
            f"{known.stack_name} is protected from deletion, and keeps its tables: "
            f"`tidemark deploy --target {target.name} --retention destroy` lifts both."
        )
    # Its outputs as they are: those that are known may be of an earlier deploy, or none.
    held = [f"  {one}" for one in holdings.describe(live.outputs, clients)]
    shown = [
        f"AWS account {account}, region {known.region}, as {target.identity}",
        "",
        f"Deleting {known.stack_name} ({live.status}) deletes for good:",
        *(held or ["  no table or queue that its outputs name"]),
        "What stays: the CDK's toolkit stack, and API Gateway's log role of the account.",
    ]
    agree(shown, f"Delete {known.stack_name} in account {account}, {known.region}?")
