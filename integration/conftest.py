"""What the tests on a deployed stack share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from integration.accounts import Names
from integration.tables import Tables
from tidemark.workloads.bank import Bank

if TYPE_CHECKING:
    from tidemark.aws import Clients
    from tidemark.client import Client
    from tidemark.deployment import Deployment


@pytest.fixture(scope="session")
def bank(tidemark_client: Client) -> Bank:
    return Bank(tidemark_client)


@pytest.fixture(scope="session")
def tables(aws: Clients, deployment: Deployment) -> Tables:
    return Tables.of(deployment, aws)


@pytest.fixture
def names() -> Names:
    return Names.fresh()
