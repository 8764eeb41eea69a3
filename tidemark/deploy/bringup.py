"""Bringing a stack up: target, bootstrap, deploy, verify, prove."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from tidemark.aws import stacks
from tidemark.aws.clients import AwsClients
from tidemark.deploy import consent, first_deposit, outputs, synthesis
from tidemark.deploy.cdk import Cdk, last_words
from tidemark.deploy.changes import Plan
from tidemark.deploy.undoing import DeployError, Undoing, stopped_with
from tidemark.errors import RefusedError, TidemarkError
from tidemark.host.waiting import NotSeenError, NotYetError, eventually

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tidemark.aws.connection import Connection
    from tidemark.aws.stacks import LiveStack
    from tidemark.deploy.consent import Consent
    from tidemark.deploy.first_deposit import Proof
    from tidemark.deploy.synthesis import App, Assembly
    from tidemark.host.deployment import Deployment
    from tidemark.host.processes import Finished
    from tidemark.host.progress import Steps
    from tidemark.targets.base import Target

_OUTPUTS_WITHIN_S = 15.0
# An emulator's clock and this one are the same but for rounding.
_CLOCK_SLACK = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class BringUp:
    """One attempt to bring a stack up.

    Attributes:
        app: The CDK app with the stack.
        target: Where to.
        cdk: The CDK command line.
        state: The state folder.
        steps: Shows progress.
        tags: Stack tags besides our own.
        agree: Asks for consent, on a target that asks first.
        required: The outputs that it must have; ``None``: all that its template declares.
        undone_by: What removes later what cannot be removed at once.
    """

    app: App
    target: Target
    cdk: Cdk
    state: Path
    steps: Steps
    tags: Mapping[str, str] = field(default_factory=dict)
    agree: Consent = consent.nobody
    required: tuple[str, ...] | None = outputs.REQUIRED_OUTPUTS
    undone_by: str = "`tidemark down` removes it"

    @property
    def _stack_name(self) -> str:
        """The stack's name: what the app says, once it has said something."""
        assembly = synthesis.find(self.app)
        return self.app.stack_name if assembly is None else assembly.stack_name

    @property
    def _undoing(self) -> Undoing:
        return Undoing(
            target=self.target,
            children=self.cdk.children,
            evidence=self._evidence,
            stack_name=lambda: self._stack_name,
            undone_by=self.undone_by,
        )

    @property
    def _evidence(self) -> Path:
        return self.state / "failed" / self.app.stack_name

    def up(self) -> tuple[Deployment, Proof]:
        """Start the target, deploy the stack and prove that it works.

        Whatever goes wrong, nothing is left running that did not run before.

        Raises:
            TidemarkError: Something failed; what there is to look at is kept.
            InterruptedByUserError: The user stopped it.
        """
        deployment, seen = self._up()
        assert seen is not None, "a stack with the required outputs is proven"  # noqa: S101 -- a bug of the caller's
        return deployment, seen

    def up_any(self) -> Deployment:
        """The same for a stack of whatever domain, which is proven if it is the bank's.

        Raises:
            TidemarkError: Something failed; what there is to look at is kept.
            InterruptedByUserError: The user stopped it.
        """
        return self._up()[0]

    def _up(self) -> tuple[Deployment, Proof | None]:
        starts_it = self.target.is_ours and self.target.find() is None
        with self._undoing.on_failure(stop_target=starts_it):
            with ThreadPoolExecutor(1) as pool:
                synthesis_done = pool.submit(self._synthesise)
                try:
                    with self.steps.step(f"{self.target.name} target answers"):
                        connection = self.target.start()
                    if self.target.asks_first:
                        self._ask(synthesis_done.result(), connection)
                    self._bootstrap(connection)
                    assembly = synthesis_done.result()
                except BaseException:
                    self.cdk.children.stop()  # else leaving the pool would wait for the app
                    raise
            deployment = self._deploy(assembly, connection)
            seen = None
            if deployment.outputs.keys() >= set(outputs.REQUIRED_OUTPUTS):
                with self.steps.step("a deposit is read back from the query side"):
                    seen = first_deposit.prove(deployment, AwsClients(connection))
        deployment.save(self.state)
        shutil.rmtree(self._evidence, ignore_errors=True)  # of a failure that is over
        return deployment, seen

    def deploy(self, connection: Connection) -> Deployment:
        """Deploy the stack to a target that runs, and record it.

        Raises:
            TidemarkError: Something failed; what there is to look at is kept.
        """
        with self._undoing.on_failure(stop_target=False):
            assembly = self._synthesise()
            if self.target.asks_first:
                self._ask(assembly, connection)
            self._bootstrap(connection)
            deployment = self._deploy(assembly, connection)
        deployment.save(self.state)
        return deployment

    def diff(self, connection: Connection) -> Finished:
        """Compare what is deployed on a target with what a deploy would bring."""
        try:
            assembly = self._synthesise()
            return self.cdk.run(self.cdk.diff(assembly.folder, connection))
        except KeyboardInterrupt:
            self.cdk.children.stop()
            raise

    def _ask(self, assembly: Assembly, connection: Connection) -> None:
        """Show what would change, ask, and make what is missing outside the stack.

        Raises:
            RefusedError: The answer is no, or the stack of that name is not ours.
        """
        clients = AwsClients(connection)
        live = stacks.settled(clients, assembly.stack_name)
        if live is not None and not live.is_ours:
            raise RefusedError(
                f"{assembly.stack_name} in account {connection.account}, {connection.region}, is "
                "not of Tidemark's making (no tag project=tidemark): choose another --stack-name."
            )
        if live is not None and live.is_a_failed_creation:
            live = None  # the deploy deletes it first
        preparations = self.target.preparations(connection)
        toolkit = stacks.settled(clients, stacks.TOOLKIT_STACK)
        plan = Plan(
            account=connection.account or "unknown",
            identity=self.target.identity,
            region=connection.region,
            assembly=assembly,
            live=live,
            is_bootstrapped=toolkit is not None and toolkit.is_settled,
            preparations=preparations,
            tags=self.all_tags,
        )
        if live is not None and not self._differs(live, assembly, clients):
            self.steps.say(f"  {plan.where}; {assembly.stack_name} is there and current")
            return
        self.agree(plan.lines(), plan.question)
        for one in preparations:
            with self.steps.step(one.what.partition(",")[0]):
                one.make()

    @property
    def all_tags(self) -> dict[str, str]:
        """The stack tags that a deploy gives."""
        return {**self.tags, **stacks.OUR_TAGS}

    def _synthesise(self) -> Assembly:
        found = synthesis.find(self.app)
        if found is not None:
            return found
        with self.steps.step("the CDK app is synthesised"):
            return synthesis.synthesise(self.app, self.cdk.children, self.cdk.log_of("synth"))

    def _bootstrap(self, connection: Connection) -> None:
        clients = AwsClients(connection)
        account = clients.sts.get_caller_identity()["Account"]
        if connection.account not in (None, account):
            raise TidemarkError(
                f"The {self.target.name} target answers for account {account} where "
                f"{connection.account} is expected: nothing was deployed."
            )
        toolkit = stacks.settled(clients, stacks.TOOLKIT_STACK)
        if toolkit is not None and toolkit.is_settled:
            return
        with (
            self.steps.step("the account is bootstrapped"),
            stopped_with(self.target, self.cdk.children),
        ):
            finished = self.cdk.run(self.cdk.bootstrap(connection, account))
        if finished.exit_code != 0:
            reason = stacks.failure(clients.cloudformation, stacks.TOOLKIT_STACK)
            raise TidemarkError(
                f"The CDK bootstrap failed: {reason or last_words(finished.output)} "
                f"(all of it: {self.cdk.log_of('bootstrap')})."
            )

    def _deploy(self, assembly: Assembly, connection: Connection) -> Deployment:
        clients = AwsClients(connection)
        digest = assembly.digest
        live = stacks.settled(clients, assembly.stack_name)
        if live is None or self._differs(live, assembly, clients):
            with self.steps.step(f"{assembly.stack_name} is deployed"):
                self._run_deploy(assembly, connection, clients, live)
            live = self._verified(assembly, clients, digest)
        required = self._required(assembly)
        return outputs.deployment_of(
            self.target, connection, assembly.stack_name, clients, live, required=required
        )

    def _required(self, assembly: Assembly) -> tuple[str, ...]:
        return assembly.declared_outputs if self.required is None else self.required

    def _differs(self, live: LiveStack, assembly: Assembly, clients: AwsClients) -> bool:
        """Whether a deploy would change a stack, or has something to repair."""
        return (
            not live.is_settled
            or bool(outputs.lacking(live, self._required(assembly)))
            or not self.tags.items() <= live.tags.items()
            or stacks.live_digest(clients, assembly.stack_name) != assembly.digest
        )

    def _run_deploy(
        self,
        assembly: Assembly,
        connection: Connection,
        clients: AwsClients,
        live: LiveStack | None,
    ) -> None:
        since = datetime.now(UTC) - _CLOCK_SLACK
        # A deploy replaces a stack's tags as a whole: those that others gave it stay.
        tags = {**(live.tags if live is not None else {}), **self.all_tags}
        with stopped_with(self.target, self.cdk.children):
            finished = self.cdk.run(self.cdk.deploy(assembly.folder, connection, tags))
        if finished.exit_code != 0:
            reason = stacks.failure(clients.cloudformation, assembly.stack_name, since)
            raise DeployError(
                f"The deploy of {assembly.stack_name} failed: "
                f"{reason or last_words(finished.output)} "
                f"(all of it: {self.cdk.log_of('deploy')})."
            )

    def _verified(self, assembly: Assembly, clients: AwsClients, digest: str) -> LiveStack:
        """The deployed stack, once it is what was synthesised."""

        def probe() -> LiveStack | None:
            live = stacks.describe(clients, assembly.stack_name)
            if live is None or not live.is_settled:
                raise NotYetError("no such stack" if live is None else live.status)
            if missing := outputs.lacking(live, self._required(assembly)):
                raise NotYetError(f"no output {', '.join(missing)}")
            return live

        try:
            live = eventually(
                probe, within_s=_OUTPUTS_WITHIN_S, what=f"{assembly.stack_name} with its outputs"
            )
        except NotSeenError as not_seen:
            raise TidemarkError(
                f"The deploy ended well and the stack is not whole: {not_seen} Deploy it again."
            ) from not_seen
        if (deployed := stacks.live_digest(clients, assembly.stack_name)) != digest:
            raise TidemarkError(
                f"The deployed template of {assembly.stack_name} is not the synthesised one "
                f"({deployed[:12]} instead of {digest[:12]}): deploy it again."
            )
        return live
