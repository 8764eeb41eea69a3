"""A run of a test session that this process writes to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tidemark import targets
from tidemark.history.sampler import Sampler
from tidemark.history.writing import RunWriter
from tidemark.workloads.bank_history import BankHistory
from tidemark.workloads.bank_tables import BankTables
from tidemark.workloads.workload import Unknown

if TYPE_CHECKING:
    from pathlib import Path

    from tidemark.api.op import Op
    from tidemark.api.session import Writer
    from tidemark.aws.clients import AwsClients
    from tidemark.host.deployment import Deployment
    from tidemark.workloads.workload import Workload


class OpenRun:
    """A run that this process writes to.

    Args:
        path: Its folder.
        writer: This process.
        deployment: Where its calls go.
        clients: The AWS clients of the target.
    """

    def __init__(
        self, path: Path, writer: Writer, deployment: Deployment, clients: AwsClients
    ) -> None:
        self.path = path
        self.writer = writer
        self.deployment = deployment
        self.workload = workload_of(deployment, clients)
        # Whom the API takes us for; it matters where a log says who commanded.
        self.principal = (
            None
            if isinstance(self.workload, Unknown)
            else targets.of_deployment(deployment).principal(clients)
        )
        self.history = RunWriter(path, writer, self.workload)
        self.history.describe(deployment, kind="pytest")
        self._sampler = Sampler(self.history, self.workload)

    def take(self, op: Op) -> None:
        """Write an op down: a sink for clients."""
        self.history.record(op)
        self._sampler.take(op)

    def close(self) -> None:
        """Write down the rest."""
        self._sampler.close()
        self.history.close()


def workload_of(deployment: Deployment, clients: AwsClients) -> Workload:
    """What is known of a stack: it is the bank, or one that nobody described."""
    is_bank = {"CommandTableName", "QueryTableName", "UpdateProcessorName"} <= {*deployment.outputs}
    return BankHistory(BankTables.of(deployment, clients)) if is_bank else Unknown()
