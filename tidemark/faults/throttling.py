"""A function that may not run: each invocation is refused, as beyond an account's concurrency."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from tidemark.faults.place import describe, reach
from tidemark.faults.plan import THROTTLED, planned
from tidemark.host.undo import undoer
from tidemark.host.waiting import NotYetError, eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_lambda import LambdaClient

    from tidemark.aws.clients import AwsClients
    from tidemark.faults.place import Place
    from tidemark.faults.plan import History
    from tidemark.host.deployment import Deployment
    from tidemark.host.undo import Journal

_HEEDED_WITHIN_S = 60.0
_NOTHING_TO_DO = b'{"Records": []}'


@contextmanager
def throttled_projection(
    journal: Journal, aws: AwsClients, deployment: Deployment, history: History | None
) -> Iterator[None]:
    """Let the Update Processor not run, for as long as this lasts.

    It begins when an invocation without messages is refused, which is the one that it is known to
    strike, and it has ended when such an invocation is answered.

    Args:
        journal: Where the true concurrency is written down first.
        aws: The deployment's clients.
        deployment: The deployment.
        history: The run that it is written into, if any is.

    Raises:
        NotSeenError: The target runs the function all the same.
        TidemarkError: It cannot be let run again; the sentence says what is left.
    """
    functions, name = aws.functions, deployment.outputs["UpdateProcessorName"]
    reserved = functions.get_function_concurrency(FunctionName=name)
    undo = partial(
        release,
        place=describe(journal, deployment),
        name=name,
        reserved=reserved.get("ReservedConcurrentExecutions"),
    )
    with (
        planned(history, THROTTLED, journal=journal) as fault,
        journal.begun(f"The function {name} may not run", undo),
    ):
        functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
        _await(functions, name, may_run=False)
        fault.begin()
        fault.strike()
        yield


@undoer
def release(place: Place, name: str, reserved: int | None) -> str | None:
    """Let a function run again, if there still is such a function.

    Raises:
        NotSeenError: It is refused for longer.
        TidemarkError: Its target does not answer.
    """
    if (clients := reach(place)) is None:
        return None
    functions = clients.functions
    try:
        if reserved is None:
            functions.delete_function_concurrency(FunctionName=name)
        else:
            functions.put_function_concurrency(
                FunctionName=name, ReservedConcurrentExecutions=reserved
            )
        _await(functions, name, may_run=True)
    except functions.exceptions.ResourceNotFoundException:
        return None
    return f"The function {name} may run again."


def _await(functions: LambdaClient, name: str, *, may_run: bool) -> None:
    """Wait until an invocation is answered, or refused."""

    def probe() -> bool:
        try:
            functions.invoke(FunctionName=name, Payload=_NOTHING_TO_DO)
        except functions.exceptions.TooManyRequestsException:
            ran = False
        else:
            ran = True
        if ran is not may_run:
            raise NotYetError("it ran" if ran else "it was refused")
        return True

    what = f"the function {name} to {'run again' if may_run else 'be throttled'}"
    eventually(probe, within_s=_HEEDED_WITHIN_S, what=what)
