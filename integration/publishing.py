"""Publishes that are lost: the fault that the outbox is there for."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from integration.turns import TURNS
from tidemark.host.waiting import NotYetError, eventually

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mypy_boto3_lambda import LambdaClient

    from tidemark.aws.clients import AwsClients
    from tidemark.host.deployment import Deployment

_UPDATED_WITHIN_S = 60.0


@contextmanager
def lost_publishes(aws: AwsClients, deployment: Deployment) -> Iterator[None]:
    """Let the Command Handler publish to a topic that does not exist, for as long as this lasts."""
    name = deployment.outputs["CommandHandlerName"]
    with TURNS.alone():
        configured = aws.functions.get_function_configuration(FunctionName=name)
        variables = configured["Environment"]["Variables"]
        try:
            _configure(
                aws.functions, name, {**variables, "TOPIC_ARN": f"{variables['TOPIC_ARN']}-gone"}
            )
            yield
        finally:
            _configure(aws.functions, name, variables)


def _configure(functions: LambdaClient, name: str, variables: Mapping[str, str]) -> None:
    functions.update_function_configuration(FunctionName=name, Environment={"Variables": variables})

    def probe() -> bool:
        now = functions.get_function_configuration(FunctionName=name)
        status = now.get("LastUpdateStatus")
        if status != "Successful" or now["Environment"]["Variables"] != variables:
            raise NotYetError(f"LastUpdateStatus {status}")
        return True

    eventually(probe, within_s=_UPDATED_WITHIN_S, what=f"{name} to be updated")
