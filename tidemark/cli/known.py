"""The known deployment that a verb acts on, with its target answering."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tidemark import targets
from tidemark.aws import stacks
from tidemark.aws.clients import AwsClients
from tidemark.cli.options import DEFAULT_STACK_NAME
from tidemark.deploy import outputs
from tidemark.errors import NotStartedError, TidemarkError
from tidemark.host import deployment
from tidemark.host.state import state_dir
from tidemark.targets.base import TargetOptions

if TYPE_CHECKING:
    from tidemark.aws.connection import Connection
    from tidemark.host.deployment import Deployment
    from tidemark.targets.base import Target


def choose(target_name: str | None, stack_name: str | None) -> tuple[Deployment, Target]:
    """The deployment that the options choose, and its target.

    A stack on a target that asks first need not be known here: what another machine deployed is
    found there.

    Raises:
        NotStartedError: None is known, or the options do not choose one.
    """
    place, target = choose_place(target_name, stack_name)
    return (place if place.outputs else _look_up(place, target)), target


def choose_place(target_name: str | None, stack_name: str | None) -> tuple[Deployment, Target]:
    """The same for a stack that may have no outputs yet, or not be there at all.

    Raises:
        NotStartedError: None is known, or the options do not choose one.
    """
    if target_name is not None and not _is_known_here(target_name, stack_name):
        target = targets.create(target_name, TargetOptions(state=state_dir()))
        return outputs.place_of(target, target.start(), stack_name or DEFAULT_STACK_NAME), target
    found = deployment.select(target_name, stack_name)
    target = targets.of_deployment(found)
    if target.asks_first and target_name is None:
        raise NotStartedError(
            f"The deployment that is known is {found.stack_name} on {found.target}: say so with "
            f"--target {found.target}."
        )
    return found, target


def connect(target: Target) -> Connection:
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


def reach(target_name: str | None, stack_name: str | None) -> tuple[Deployment, AwsClients]:
    """The deployment that the options choose, and clients for its target, which answers.

    Raises:
        TidemarkError: None is known, the options do not choose one, or its target is silent.
    """
    found, target = choose(target_name, stack_name)
    return found, AwsClients(connect(target))


def _is_known_here(target_name: str, stack_name: str | None) -> bool:
    """Whether what the options choose can be known nowhere else, or is known here."""
    return not targets.class_of(target_name).asks_first or any(
        one.target == target_name and stack_name in (None, one.stack_name)
        for one in deployment.known()
    )


def _look_up(place: Deployment, target: Target) -> Deployment:
    """The deployment at a place that is not known here."""
    name, account = place.stack_name, place.settings.get("account", "unknown")
    clients = AwsClients(target.reach(place.endpoint, place.region))
    live = stacks.describe(clients, name)
    if live is None:
        raise NotStartedError(
            f"There is no stack {name} on {target.name} (account {account}, {place.region}): run "
            f"`tidemark up --target {target.name}` first."
        )
    if not live.is_ours:
        raise NotStartedError(
            f"{name} in account {account}, {place.region}, is not of Tidemark's making: choose "
            "another --stack-name."
        )
    return outputs.deployment_of(target, clients, name, live, required=outputs.REQUIRED_OUTPUTS)
