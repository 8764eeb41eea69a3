"""Taking down: stacks deleted, targets stopped, records removed."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from tidemark import targets
from tidemark.aws import stacks
from tidemark.aws.clients import AwsClients
from tidemark.deploy import consent, holdings
from tidemark.errors import RefusedError, TidemarkError
from tidemark.host import deployment
from tidemark.targets.base import SilentTargetError, TargetOptions

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from tidemark.deploy.consent import Consent
    from tidemark.host.deployment import Deployment
    from tidemark.targets.base import Target


def down(
    state: Path, target_name: str | None = None, agree: Consent = consent.nobody
) -> Iterator[str]:
    """Take down all that `up` started, or what it started on one target.

    What is on a target that asks first stays, unless that target is named. What cannot be taken
    down stays recorded, and keeps nothing else from being taken down.

    Yields:
        A line for each thing that is gone, or stays.

    Raises:
        TidemarkError: Something could not be taken down; a sentence for each.
    """
    names = [target_name] if target_name is not None else list(targets.names())
    elsewhere = [
        one
        for one in deployment.known(state)
        if one.target in names and not targets.class_of(one.target).is_ours
    ]
    staying = [
        one for one in elsewhere if target_name is None and targets.class_of(one.target).asks_first
    ]
    yield from map(stays, staying)
    untouched = {one.target for one in staying}
    failures: list[str] = []
    found_any = False
    for line in chain(
        _deleted(state, [one for one in elsewhere if one not in staying], agree, failures),
        _stopped(state, [name for name in names if name not in untouched], failures),
    ):
        found_any = True
        yield line
    if failures:
        raise TidemarkError("\n".join(failures))
    if not found_any:
        yield "Nothing was running."


def _deleted(
    state: Path, found: Iterable[Deployment], agree: Consent, failures: list[str]
) -> Iterator[str]:
    """Delete stacks on targets that are not ours; note what fails, and go on."""
    for one in found:
        try:
            said = destroy(state, one, agree)
        except TidemarkError as error:
            failures.append(str(error))
        else:
            yield said


def _stopped(state: Path, names: Iterable[str], failures: list[str]) -> Iterator[str]:
    """Stop targets and forget what was on them; note what fails, and go on."""
    for name in names:
        try:
            was_there = targets.create(name, TargetOptions(state=state)).stop()
        except TidemarkError as error:
            failures.append(str(error))
            continue
        _forget_all_on(state, name)
        if was_there:
            yield f"The {name} target is stopped."


def _forget_all_on(state: Path, target_name: str) -> None:
    """Forget what is recorded on a target, but for stacks that are there still."""
    is_stopped = targets.class_of(target_name).is_ours
    left = {
        deployment.path_of(one.target, one.stack_name, state)
        for one in deployment.known(state)
        if not is_stopped
    }
    for path in deployment.paths(state):
        if path not in left and path.name.partition(".")[0] == target_name:
            path.unlink(missing_ok=True)


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
    elif _is_gone(target, deployment.path_of(recorded.target, recorded.stack_name, state)):
        if target.is_ours:
            raise TidemarkError(f"The {target.name} target does not answer: run `tidemark up`.")
        _forget(state, recorded)
        return f"{where} is forgotten: nothing answers there."
    try:
        was_there = stacks.delete(AwsClients(targets.connection_to(recorded)), recorded.stack_name)
    except (BotoCoreError, ClientError) as error:
        words = str(error).rstrip(".")
        raise TidemarkError(f"{where} cannot be deleted: {words}.") from error
    _forget(state, recorded)
    if not was_there:
        return f"There was no {where} in {recorded.region}: nothing to delete."
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


def _forget(state: Path, recorded: Deployment) -> None:
    deployment.path_of(recorded.target, recorded.stack_name, state).unlink(missing_ok=True)


def _ask(target: Target, recorded: Deployment, agree: Consent) -> None:
    """Show what a stack holds, and ask whether it may go.

    Raises:
        RefusedError: It is protected or somebody else's, or the answer is no.
    """
    clients = AwsClients(targets.connection_to(recorded))
    live = stacks.await_settled(clients, recorded.stack_name)
    if live is None:
        return  # there is nothing to lose
    account = recorded.settings.get("account", "unknown")
    if not live.is_ours:
        raise RefusedError(
            f"{recorded.stack_name} in account {account}, {recorded.region}, is not of Tidemark's "
            "making: choose another --stack-name."
        )
    if live.is_protected:
        raise RefusedError(
            f"{recorded.stack_name} is protected from deletion, and keeps its tables: "
            f"`tidemark deploy --target {target.name} --retention destroy` lifts both."
        )
    # Its outputs as they are: those that are recorded may be of an earlier deploy, or none.
    held = [f"  {one}" for one in holdings.of(live.outputs, clients)]
    shown = [
        f"AWS account {account}, region {recorded.region}, as {target.identity}",
        "",
        f"Deleting {recorded.stack_name} ({live.status}) deletes for good:",
        *(held or ["  no table or queue that its outputs name"]),
        "What stays: the CDK's toolkit stack, and API Gateway's log role of the account.",
    ]
    agree(shown, f"Delete {recorded.stack_name} in account {account}, {recorded.region}?")
