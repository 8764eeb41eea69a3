"""One deployed stack, as tests use it: its API, its tables, its AWS clients."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from integration.turns import TURNS
from tidemark.faults import publishing
from tidemark.faults.throttling import throttled_projection
from tidemark.workloads.bank_items import command_id
from tidemark.workloads.bank_tables import BankTables

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tidemark.api.client import Client
    from tidemark.aws.clients import AwsClients
    from tidemark.host.deployment import Deployment
    from tidemark.host.undo import Journal
    from tidemark.testing.runs import SessionHistory
    from tidemark.testing.testbed import Testbed
    from tidemark.workloads.bank_items import EventKey


@dataclass(frozen=True)
class Site:
    """A deployment with what reaches it."""

    deployment: Deployment
    aws: AwsClients
    client: Client
    tables: BankTables
    journal: Journal
    history: SessionHistory

    @property
    def principal(self) -> str:
        """Whom the API takes its client for."""
        assert self.client.principal is not None
        return self.client.principal

    def command(self, key: str) -> EventKey | None:
        """The event of an accepted command that its client, or one beside it, sent with a key."""
        return self.tables.command(command_id(self.principal, key))

    @contextmanager
    def lost_publishes(self) -> Iterator[None]:
        """Let its Command Handler publish nothing, while no other worker's test runs."""
        lost = publishing.lost_publishes(
            self.journal, self.aws, self.deployment, self.history.writer
        )
        with TURNS.alone(), lost:
            yield

    @contextmanager
    def throttled_projection(self) -> Iterator[None]:
        """Let its Update Processor not run, while no other worker's test runs."""
        throttled = throttled_projection(
            self.journal, self.aws, self.deployment, self.history.writer
        )
        with TURNS.alone(), throttled:
            yield


@contextmanager
def site_of(testbed: Testbed, deployment: Deployment, aws: AwsClients) -> Iterator[Site]:
    with testbed.client_of(deployment) as client:
        tables = BankTables.of(deployment, aws)
        history = testbed.history_of(deployment)
        yield Site(deployment, aws, client, tables, testbed.journal, history)
