"""A testbed: a target of its own with stacks on it, for as long as a test session lasts."""

from __future__ import annotations

import os
import shutil
import time
import uuid
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from tidemark import targets
from tidemark.api.session import new_run_id
from tidemark.aws import stacks
from tidemark.aws.clients import AwsClients
from tidemark.deploy import evidence, synthesis
from tidemark.deploy.bringup import BringUp
from tidemark.deploy.cdk import Cdk
from tidemark.deploy.outputs import deployment_of
from tidemark.deploy.synthesis import App
from tidemark.errors import InterruptedByUserError, NotStartedError, TidemarkError
from tidemark.host.processes import Children
from tidemark.host.undo import Journal
from tidemark.targets.aws import ACCOUNT_VARIABLE
from tidemark.targets.base import TargetOptions
from tidemark.testing import session
from tidemark.testing.apps import Apps, DeployedApp
from tidemark.testing.runs import SessionRuns
from tidemark.testing.transcript import Transcript

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from tidemark.api.client import Client
    from tidemark.api.exchange import Transport
    from tidemark.aws.connection import Connection
    from tidemark.deploy.assembly import SynthesisedStack
    from tidemark.errors import ExitCode
    from tidemark.host.deployment import Deployment
    from tidemark.host.progress import Steps
    from tidemark.probe.result import RowResult
    from tidemark.testing.apps import NotDeployedError
    from tidemark.testing.options import Plan
    from tidemark.testing.runs import SessionHistory
    from tidemark.workloads.calling import Caller


class Testbed:
    """A target that a session started, or was given, and the stacks that it deployed there.

    Args:
        plan: What the session is to run on.
        state: A folder of the session's own.
        steps: Shows progress.
        runs: Makes its clients; runs in its own folder, if absent.
    """

    __test__ = False  # for pytest: not a test

    def __init__(
        self, plan: Plan, state: Path, steps: Steps, runs: SessionRuns | None = None
    ) -> None:
        self.plan = plan
        self.state = state
        self.steps = steps
        self.journal = Journal(state)
        self._apps = Apps(state / "apps")
        self.runs = runs or SessionRuns(state / "runs", new_run_id(), "main", steps.say)
        # Where the clients write down what they send.
        self._requests = state / "requests"
        self._began_ms = int(time.time() * 1000)
        options = TargetOptions(state=state, endpoint_url=plan.endpoint_url, is_private=True)
        self.target = targets.create(plan.target, options)
        # A target that is not ours may hold stacks of others.
        self._name = "Tidemark" if self.target.is_ours else f"Tidemark-{uuid.uuid4().hex[:8]}"

    @property
    def connection(self) -> Connection:
        """How to reach the target once a stack is deployed.

        Raises:
            TidemarkError: It does not answer.
        """
        connection = self.target.find()
        if connection is None:
            raise TidemarkError(
                f"The {self.target.name} target does not answer: it has ended, or nothing was "
                "deployed on it yet."
            )
        return connection

    def deploy(self, **contexts: str) -> DeployedApp:
        """Deploy the app with further context values, once, and prove the bank's to work.

        Raises:
            TidemarkError: It cannot be deployed or does not work.
        """
        return self._apps.get(contexts, lambda: self._begin(contexts))

    def _begin(self, contexts: Mapping[str, str]) -> DeployedApp:
        if self.plan.stack_name is not None and not self.plan.command:
            return self._join(self.plan.stack_name, contexts)
        return self._bring_up("-".join([self._name, *contexts.values()]), contexts)

    def _join(self, stack_name: str, contexts: Mapping[str, str]) -> DeployedApp:
        """A stack that somebody else deployed and keeps."""
        if contexts:
            raise TidemarkError(
                f"The session was given the stack {stack_name} and deploys no other: leave out "
                "--tidemark-stack."
            )
        connection = self._reach()
        clients = AwsClients(connection)
        live = stacks.await_settled(clients, stack_name)
        if live is None or not live.is_settled:
            state = "no such stack" if live is None else live.status
            raise TidemarkError(
                f"{stack_name} is not there to be used ({state} at {connection.endpoint}): "
                "correct --tidemark-stack, or deploy it first."
            )
        deployment = deployment_of(self.target, clients, stack_name, live)
        self._say_where(deployment)
        return DeployedApp(stack_name, (deployment,), stack_name)

    def _bring_up(self, name: str, contexts: Mapping[str, str]) -> DeployedApp:
        app = App(
            self.plan.checkout,
            name,
            {**self.plan.contexts, **contexts},
            command=self.plan.command,
        )
        if not app.is_own:
            # Nobody here knows what it depends on, so that it is made anew for every session.
            # On a target of the session's own, its first stack may have any name.
            is_alone = self.target.is_ours and not self._apps.all()
            app = replace(app, folder=self.state / "synth" / name, may_name_itself=is_alone)
        if self.target.asks_first:
            self._reach()
        try:
            brought = BringUp(
                app=app,
                target=self.target,
                cdk=Cdk(self.plan.checkout, self.state, Children(self.journal)),
                state=self.state,
                steps=self.steps,
                agree=self._agree,
                is_temporary=True,
            ).up()
        except InterruptedByUserError:
            # What becomes of what was begun, the session's end says.
            raise InterruptedByUserError("Interrupted.") from None
        for deployment in brought.deployments:
            self._say_where(deployment)
        wanted, assembly = self.plan.stack_name, synthesis.find(app)
        return DeployedApp(name, brought.deployments, wanted, assembly)

    def _reach(self) -> Connection:
        """How to reach the target; one that asks first, only in the account that was named."""
        connection = self.target.start()
        named = os.environ.get(ACCOUNT_VARIABLE)
        if self.target.asks_first and connection.account != named:
            raise NotStartedError(
                f"The {self.target.name} target is account {connection.account} and "
                f"{ACCOUNT_VARIABLE} names {named}: the session deploys to no other."
            )
        return connection

    def _agree(self, shown: Iterable[str], question: str) -> None:
        """Consent, given beforehand by whoever named the target and its account."""
        for line in [*shown, f"{question} Yes: the session was told to."]:
            self.steps.say(f"  {line}")

    def _say_where(self, deployment: Deployment) -> None:
        versions = {**self.target.versions(), "template": deployment.template_digest[:12]}
        words = ", ".join(f"{name} {version}" for name, version in versions.items())
        where = deployment.api_url or deployment.endpoint
        self.steps.say(f"  {deployment.stack_name} is at {where} ({words})")

    def synthesised(self, deployment: Deployment) -> SynthesisedStack:
        """The stack that a deployment was made from.

        Raises:
            TidemarkError: The app's sources changed while it was deployed.
        """
        assemblies = (app.assembly for app in self._apps.all() if deployment in app.deployments)
        for assembly in filter(None, assemblies):
            stack = assembly.stack(deployment.stack_name)
            if stack is not None and stack.digest == deployment.template_digest:
                return stack
        raise TidemarkError("The CDK app changed while it was deployed: start again.")

    def transcript_of(self, deployment: Deployment) -> Transcript:
        """Where what is sent to a deployment's API is written down; a failed session keeps it."""
        return Transcript(self._requests / f"{deployment.stack_name}.jsonl")

    @contextmanager
    def client_of(
        self, deployment: Deployment, transport: Transport | None = None
    ) -> Iterator[Client]:
        """A client of a deployment's API that signs its requests, and has them written down.

        Args:
            deployment: The deployment.
            transport: What sends the requests, if it must be another than usual.

        Raises:
            TidemarkError: The stack has no such API.
        """
        if not deployment.api_url:
            raise TidemarkError(
                f"{deployment.stack_name} outputs no RestApiId and ApiStage, so that its API is "
                "not known: add both outputs, or use `deployment.outputs` and `aws` instead."
            )
        around = self.transcript_of(deployment).of
        clients = AwsClients(self.connection)
        with self.runs.client_of(deployment, clients, around, transport) as client:
            yield client

    def caller_of(self, deployment: Deployment) -> Caller:
        """A caller of a deployment, by the workload that the session was told of.

        Raises:
            TidemarkError: It was told of none, or that cannot be made.
        """
        return self.runs.caller_of(deployment, AwsClients(self.connection))

    def history_of(self, deployment: Deployment) -> SessionHistory:
        """The history of what the session does to a deployment."""
        return self.runs.history_of(deployment, AwsClients(self.connection))

    def probe(self, capability: str) -> RowResult:
        """Ask the probe whether the target, with the stack on it, has a capability."""
        from tidemark.probe.rows import ROWS  # noqa: PLC0415 -- only on a target that nobody measured
        from tidemark.probe.running import ask  # noqa: PLC0415 -- likewise

        deployment = self.deploy().deployment
        [row] = [one for one in ROWS if one.capability == capability]
        run = ask(
            [row],
            AwsClients(self.connection),
            deployment,
            what=f"whether the {self.target.name} target has {capability} is probed",
        )
        return run.row_results[0]

    @property
    def evidence(self) -> Path:
        """Where there is something to look at after a failure."""
        return self.state / session.EVIDENCE

    def keep_evidence(self) -> None:
        """Collect function logs, the target's log, stack events, and what was sent."""
        connection = None
        with suppress(TidemarkError):  # of a target that is silent there is its log
            connection = self.target.find()
        deployed = (one for app in self._apps.all() for one in app.deployments)
        for stack_name in (one.stack_name for one in deployed):
            folder = self.evidence / stack_name
            evidence.keep(folder, self.target, connection, [stack_name], since_ms=self._began_ms)
            sent = self._requests / f"{stack_name}.jsonl"
            if sent.is_file():
                shutil.copy(sent, folder / "requests.jsonl")

    def judge(self) -> Iterator[tuple[ExitCode, list[str]]]:
        """Judge what the session's calls left behind, stack by stack; see `judge_runs`."""
        from tidemark.testing.verdicts import judge_runs  # noqa: PLC0415 -- with the extra `check`

        deployments = [one for app in self._apps.all() for one in app.deployments]
        if any(self.runs.path_of(one.stack_name).is_dir() for one in deployments):
            yield from judge_runs(self.runs, deployments, AwsClients(self.connection))

    @property
    def failures(self) -> list[NotDeployedError]:
        """Why there are apps that could not be deployed."""
        return self._apps.failures()

    def keep(self) -> list[str]:
        """Let all that the session made outlive it; returns the commands that remove it."""
        self.journal.keep()
        return list(dict.fromkeys(one.remedy for one in self.journal.entries()))

    def remove(self) -> None:
        """Remove all that the session made, stacks and target; what cannot be, `left` names.

        The evidence stays, and the logs that the sentence of a failed deploy points to.
        """
        self.journal.undo()
        said = "".join(map(str, self.failures))
        logs = [one for one in self.state.glob("*/*.log") if str(one) in said]
        session.clear(self.state, kept=logs)

    @property
    def left(self) -> list[str]:
        """What the session could not remove: why, and the command that does."""
        return [one.left for one in self.journal.entries()]
