"""One deployed stack, as tests use it: its API, its tables, its AWS clients."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from integration.tables import Tables
from integration.turns import TURNS
from tidemark.faults import publishing
from tidemark.workloads.bank import Bank

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tidemark.aws.clients import AwsClients
    from tidemark.host.deployment import Deployment
    from tidemark.host.undo import Journal
    from tidemark.testing.testbed import Testbed


@dataclass(frozen=True)
class Site:
    """A deployment with what reaches it."""

    deployment: Deployment
    aws: AwsClients
    bank: Bank
    tables: Tables
    journal: Journal

    @contextmanager
    def lost_publishes(self) -> Iterator[None]:
        """Let its Command Handler publish nothing, while no other worker's test runs."""
        with TURNS.alone(), publishing.lost_publishes(self.journal, self.aws, self.deployment):
            yield


@contextmanager
def site_of(testbed: Testbed, deployment: Deployment, aws: AwsClients) -> Iterator[Site]:
    with testbed.client_of(deployment) as client:
        yield Site(deployment, aws, Bank(client), Tables.of(deployment, aws), testbed.journal)
