"""A run of a test session that this process writes to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tidemark import targets
from tidemark.deploy.status import made_of
from tidemark.history.sampler import EVERY_S, Sampler
from tidemark.history.writing import RunWriter
from tidemark.workloads.bank_history import BankHistory
from tidemark.workloads.bank_tables import BankTables
from tidemark.workloads.own_checks import make
from tidemark.workloads.own_history import OwnHistory
from tidemark.workloads.workload import Unknown

if TYPE_CHECKING:
    from pathlib import Path

    from tidemark.api.op import Op
    from tidemark.api.session import Writer
    from tidemark.aws.clients import AwsClients
    from tidemark.host.deployment import Deployment
    from tidemark.workloads.own import OwnWorkload
    from tidemark.workloads.workload import Workload


class OpenRun:
    """A run that this process writes to.

    Args:
        path: Its folder.
        writer: This process.
        deployment: Where its calls go.
        clients: The AWS clients of the target.
        own: What describes the system, if it is one of the project's own.

    Raises:
        WorkloadError: `own` cannot be made.
    """

    def __init__(
        self,
        path: Path,
        writer: Writer,
        deployment: Deployment,
        clients: AwsClients,
        own: type[OwnWorkload] | None = None,
    ) -> None:
        self.path = path
        self.writer = writer
        self.deployment = deployment
        self.workload = workload_of(deployment, clients, own)
        # Whom the API takes us for; it matters where a log says who commanded.
        self.principal = (
            targets.of_deployment(deployment).principal(clients)
            if isinstance(self.workload, BankHistory)
            else None
        )
        self.history = RunWriter(path, writer, self.workload)
        self.history.describe(
            deployment, kind="pytest", samples_per_s=1 / EVERY_S, **made_of(deployment)
        )
        self._sampler = Sampler(self.history, self.workload)

    def take(self, op: Op) -> None:
        """Write an op down: a sink for clients."""
        self.history.record(op)
        self._sampler.take(op)

    def close(self) -> None:
        """Write down the rest."""
        self._sampler.close()
        self.history.close()


def workload_of(
    deployment: Deployment, clients: AwsClients, own: type[OwnWorkload] | None = None
) -> Workload:
    """What is known of a stack: it is the project's own, the bank, or one nobody described.

    Raises:
        WorkloadError: `own` cannot be made.
    """
    if own is not None:
        return OwnHistory(make(own, deployment, clients))
    is_bank = {"CommandTableName", "QueryTableName", "UpdateProcessorName"} <= {*deployment.outputs}
    return BankHistory(BankTables.of(deployment, clients)) if is_bank else Unknown()
