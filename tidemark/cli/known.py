"""The recorded deployment that a verb acts on, with its target answering."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tidemark import targets
from tidemark.aws import stacks
from tidemark.aws.clients import AwsClients
from tidemark.cli.options import DEFAULT_STACK_NAME
from tidemark.deploy import outputs
from tidemark.errors import RefusedError, TidemarkError
from tidemark.host import deployment
from tidemark.host.state import state_dir
from tidemark.targets.base import TargetOptions

if TYPE_CHECKING:
    from tidemark.aws.connection import Connection
    from tidemark.host.deployment import Deployment
    from tidemark.targets.base import Target


def chosen(target_name: str | None, stack_name: str | None) -> tuple[Deployment, Target]:
    """The deployment that the options choose, and its target.

    A stack on a target that asks first need not be recorded here: what another machine deployed
    is found there.

    Raises:
        RefusedError: None is recorded, or the options do not choose one.
    """
    found = _unrecorded(target_name, stack_name) or deployment.select(target_name, stack_name)
    target = targets.of_deployment(found)
    if target.asks_first and target_name is None:
        raise RefusedError(
            f"The deployment that is recorded is {found.stack_name} on {found.target}: say so with "
            f"--target {found.target}."
        )
    return found, target


def deletable(target_name: str | None, stack_name: str | None) -> tuple[Deployment, Target]:
    """The deployment to delete, and its target.

    On a target that asks first it need be neither recorded here nor whole, nor there at all.

    Raises:
        RefusedError: None is recorded elsewhere, or the options do not choose one.
    """
    if target_name is None or is_known_here(target_name, stack_name):
        return chosen(target_name, stack_name)
    target = targets.create(target_name, TargetOptions(state=state_dir()))
    return outputs.place_of(target, target.start(), stack_name or DEFAULT_STACK_NAME), target


def is_known_here(target_name: str, stack_name: str | None) -> bool:
    """Whether what the options choose can be recorded nowhere else, or is recorded here."""
    return not targets.class_of(target_name).asks_first or any(
        one.target == target_name and stack_name in (None, one.stack_name)
        for one in deployment.recorded()
    )


def _unrecorded(target_name: str | None, stack_name: str | None) -> Deployment | None:
    if target_name is None or is_known_here(target_name, stack_name):
        return None
    name = stack_name or DEFAULT_STACK_NAME
    target = targets.create(target_name, TargetOptions(state=state_dir()))
    connection = target.start()
    clients = AwsClients(connection)
    live = stacks.describe(clients, name)
    if live is None:
        raise RefusedError(
            f"There is no stack {name} on {target_name} (account {connection.account}, "
            f"{connection.region}): run `tidemark up --target {target_name}` first."
        )
    if not live.is_ours:
        raise RefusedError(
            f"{name} in account {connection.account}, {connection.region}, is not of Tidemark's "
            "making: choose another --stack-name."
        )
    return outputs.deployment_of(target, clients, name, live, required=outputs.REQUIRED_OUTPUTS)


def compared(
    target_name: str | None, stack_name: str | None
) -> tuple[Target, Connection, str, dict[str, str]]:
    """What a diff compares with: target, connection, stack name, and the wiring deployed there.

    On a target that asks first the stack need not be there yet: all of it is new then.
    """
    if target_name is not None and targets.class_of(target_name).asks_first:
        target = targets.create(target_name, TargetOptions(state=state_dir()))
        connection = target.start()
        name = stack_name or DEFAULT_STACK_NAME
        live = stacks.describe(AwsClients(connection), name)
        wiring = "queued" if live is None else live.outputs.get("Wiring", "queued")
        return target, connection, name, {"wiring": wiring}
    found, target = chosen(target_name, stack_name)
    return target, answering(target), found.stack_name, {"wiring": found.wiring}


def answering(target: Target) -> Connection:
    """How to reach a target that must answer.

    Raises:
        TidemarkError: It does not.
    """
    if not target.is_ours:
        return target.start()  # starts nothing, and says what is wrong
    connection = target.find()
    if connection is None:
        raise TidemarkError(
            f"The {target.name} target does not answer: run `tidemark up`, which starts it again."
        )
    return connection
