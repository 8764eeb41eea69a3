"""A testbed: a target of its own with stacks on it, for as long as a test session lasts."""

from __future__ import annotations

import shutil
import uuid
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from tidemark import evidence, stacks, synthesis, targets
from tidemark.aws import Clients
from tidemark.bringup import BringUp
from tidemark.cdk import Cdk
from tidemark.client import Client
from tidemark.errors import TidemarkError
from tidemark.httpx_transport import HttpxTransport
from tidemark.processes import Children
from tidemark.synthesis import App
from tidemark.targets.base import TargetOptions
from tidemark.testing.container import ContainerTarget
from tidemark.testing.recording import Recorder

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tidemark.deployment import Deployment
    from tidemark.environment import Connection
    from tidemark.progress import Steps
    from tidemark.synthesis import Assembly
    from tidemark.targets.base import Target


@dataclass(frozen=True, slots=True)
class Plan:
    """What a session is to run on.

    Attributes:
        target: The target's name.
        endpoint_url: Where an endpoint target answers.
        checkout: The folder with `cdk.json`.
        module: The Python module that is the CDK app.
        contexts: Context values for the app.
        keep: Whether all of it outlives the session.
    """

    target: str
    endpoint_url: str | None
    checkout: Path
    module: str
    contexts: Mapping[str, str] = field(default_factory=dict)
    keep: bool = False


class Testbed:
    """A target that a session started, or was given, and the stacks that it deployed there.

    Args:
        plan: What the session is to run on.
        state: A folder of the session's own.
        steps: Shows progress.
    """

    __test__ = False  # for pytest: not a test

    def __init__(self, plan: Plan, state: Path, steps: Steps) -> None:
        self.plan = plan
        self.state = state
        self.steps = steps
        self._assemblies: dict[str, Assembly | None] = {}
        self._deployed: dict[str, Deployment] = {}
        options = TargetOptions(state=state, endpoint_url=plan.endpoint_url)
        self.target = _target(plan, options)
        # A target that is not ours may hold stacks of others.
        self._name = "Tidemark" if self.target.is_ours else f"Tidemark-{uuid.uuid4().hex[:8]}"

    @property
    def connection(self) -> Connection:
        """How to reach the target once a stack is deployed."""
        connection = self.target.find()
        assert connection is not None, "nothing is deployed yet"  # noqa: S101 -- a bug of the caller's
        return connection

    def deployed(self, **contexts: str) -> Deployment:
        """Deploy the stack with further context values, once, and prove that it works.

        Raises:
            TidemarkError: It cannot be deployed or does not work.
        """
        name = "-".join([self._name, *contexts.values()])
        if name not in self._deployed:
            self._deployed[name] = self._bring_up(name, contexts)
        return self._deployed[name]

    def _bring_up(self, stack_name: str, contexts: Mapping[str, str]) -> Deployment:
        app = App(
            self.plan.checkout,
            stack_name,
            {**self.plan.contexts, **contexts},
            module=self.plan.module,
        )
        app = replace(app, inputs=(*app.inputs, self.plan.module.partition(".")[0]))
        deployment, _ = BringUp(
            app=app,
            target=self.target,
            cdk=Cdk(self.plan.checkout, self.state, Children()),
            state=self.state,
            steps=self.steps,
        ).up()
        self._assemblies[stack_name] = synthesis.find(app)
        return deployment

    def assembly_of(self, deployment: Deployment) -> Assembly:
        """What a deployment was made from.

        Raises:
            TidemarkError: The app's sources changed while it was deployed.
        """
        assembly = self._assemblies[deployment.stack_name]
        if assembly is None or assembly.digest != deployment.template_digest:
            raise TidemarkError("The CDK app changed while it was deployed: start again.")
        return assembly

    @contextmanager
    def client_of(self, deployment: Deployment) -> Iterator[Client]:
        """A client of a deployment's API that signs its requests."""
        connection = self.connection
        with HttpxTransport(ca_bundle=connection.ca_bundle) as transport:
            yield Client(
                api_url=deployment.api_url,
                region=deployment.region,
                credentials=Clients(connection).credentials,
                transport=Recorder(transport, self._requests / f"{deployment.stack_name}.jsonl"),
                session="pytest",
            )

    @property
    def _requests(self) -> Path:
        """Where the clients write down what they send."""
        return self.state / "requests"

    @property
    def evidence(self) -> Path:
        """Where there is something to look at after a failure."""
        return self.state / "failed"

    def keep_evidence(self) -> None:
        """Collect function logs, the target's log, stack events, and what was sent."""
        for stack_name in self._deployed:
            folder = self.evidence / stack_name
            evidence.keep(folder, self.target, self.target.find(), stack_name)
            sent = self._requests / f"{stack_name}.jsonl"
            if sent.is_file():
                shutil.copy(sent, folder / "requests.jsonl")

    @property
    def how_to_remove(self) -> str:
        """The command that removes what is kept."""
        if isinstance(self.target, ContainerTarget):
            return self.target.how_to_remove
        return f"TIDEMARK_STATE_DIR={self.state} tidemark down"

    def remove(self) -> None:
        """Remove all that the session made, stacks and target; only the evidence stays."""
        if not self.target.is_ours:
            for deployment in self._deployed.values():
                stacks.delete(Clients(self.connection), deployment.stack_name)
        self.target.stop()
        for path in self.state.iterdir() if self.state.is_dir() else ():
            if path.is_dir() and path != self.evidence:
                shutil.rmtree(path)
        if self.state.is_dir() and not any(self.state.iterdir()):
            self.state.rmdir()


def _target(plan: Plan, options: TargetOptions) -> Target:
    if plan.target == ContainerTarget.name:
        # Not by compose, which is for one that outlives its verb and that the state folder knows.
        return ContainerTarget(options, outlives=plan.keep)
    return targets.create(plan.target, options)
