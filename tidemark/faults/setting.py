"""A function's environment variable, changed for as long as a block lasts."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from tidemark.faults.place import describe, reach
from tidemark.host.undo import undoer
from tidemark.host.waiting import NotYetError, eventually

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mypy_boto3_lambda import LambdaClient

    from tidemark.aws.clients import AwsClients
    from tidemark.faults.place import Place
    from tidemark.host.deployment import Deployment
    from tidemark.host.undo import Journal

_UPDATED_WITHIN_S = 60.0


@contextmanager
def changed_variable(
    journal: Journal, aws: AwsClients, deployment: Deployment, name: str, variable: str, value: str
) -> Iterator[None]:
    """Let a function have another value in its environment.

    Args:
        journal: Where the true value is written down first.
        aws: The deployment's clients.
        deployment: The deployment.
        name: The function.
        variable: The variable, which the function must have.
        value: What it is to be meanwhile.

    Raises:
        TidemarkError: The value cannot be put back; the sentence says what is left.
    """
    undo = partial(
        restore,
        place=describe(journal, deployment),
        name=name,
        variable=variable,
        value=_variables(aws.functions, name)[variable],
    )
    with journal.begun(f"{variable}={value} of the function {name}", undo):
        _set(aws.functions, name, variable, value)
        yield


@undoer
def restore(place: Place, name: str, variable: str, value: str) -> str | None:
    """Put a function's variable back to its true value, if there still is such a function.

    Raises:
        TidemarkError: Its target does not answer.
    """
    if (clients := reach(place)) is None:
        return None
    functions = clients.functions
    try:
        _set(functions, name, variable, value)
    except functions.exceptions.ResourceNotFoundException:
        return None
    return f"{variable} of the function {name} is {value} again."


def _set(functions: LambdaClient, name: str, variable: str, value: str) -> None:
    variables = {**_variables(functions, name), variable: value}
    functions.update_function_configuration(FunctionName=name, Environment={"Variables": variables})

    def probe() -> bool:
        now = functions.get_function_configuration(FunctionName=name)
        status = now.get("LastUpdateStatus")
        if status != "Successful" or now["Environment"]["Variables"] != variables:
            raise NotYetError(f"LastUpdateStatus {status}")
        return True

    eventually(probe, within_s=_UPDATED_WITHIN_S, what=f"{name} to be updated")


def _variables(functions: LambdaClient, name: str) -> Mapping[str, str]:
    return functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
