"""How the tests speak to the deployed stack."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tidemark.aws.clients import AwsClients
    from tidemark.host.deployment import Deployment


@dataclass(frozen=True)
class Depot:
    """The commands and the query, by the functions that the stack outputs."""

    deployment: Deployment
    aws: AwsClients

    def command(self, command: str, parcel: str, place: str) -> dict[str, Any]:
        return self._invoke(
            "IntakeFunction", {"command": command, "parcel": parcel, "place": place}
        )

    def tracking(self, parcel: str) -> dict[str, Any]:
        return self._invoke("LookupFunction", {"parcel": parcel})

    def _invoke(self, output: str, event: dict[str, str]) -> dict[str, Any]:
        answer = self.aws.functions.invoke(
            FunctionName=self.deployment.outputs[output], Payload=json.dumps(event).encode()
        )
        payload = answer["Payload"].read()
        assert "FunctionError" not in answer, payload
        document: dict[str, Any] = json.loads(payload)
        return document


@pytest.fixture
def depot(deployment: Deployment, aws: AwsClients) -> Depot:
    return Depot(deployment, aws)


@pytest.fixture
def parcel() -> str:
    """A parcel that no other test knows."""
    return f"parcel-{uuid.uuid4().hex[:8]}"
