"""Bringing an app up: its target is started, its stacks are deployed, and it is seen to work."""

from __future__ import annotations

import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tidemark.aws import stacks
from tidemark.aws.clients import AwsClients
from tidemark.deploy import consent, first_deposit, outputs, synthesis
from tidemark.deploy.bootstrap import bootstrap, is_bootstrapped
from tidemark.deploy.cdk import last_words, refuse_settings_that_choose
from tidemark.deploy.changes import Changes
from tidemark.deploy.evidence import keep as keep_evidence
from tidemark.deploy.first_deposit import DoesNotWorkError
from tidemark.deploy.rollout import Rollout
from tidemark.deploy.undoing import Undoing
from tidemark.errors import TidemarkError
from tidemark.host.undo import Journal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tidemark.aws.connection import Connection
    from tidemark.deploy.assembly import Assembly
    from tidemark.deploy.cdk import Cdk
    from tidemark.deploy.consent import Consent
    from tidemark.deploy.first_deposit import FirstDeposit
    from tidemark.deploy.synthesis import App
    from tidemark.host.deployment import Deployment
    from tidemark.host.progress import Steps
    from tidemark.targets.base import Target


@dataclass(frozen=True, slots=True)
class BroughtUp:
    """What is up.

    Attributes:
        deployments: The app's stacks, each after those that it depends on.
        first_deposit: What was seen of the bank, if one of them is Tidemark's.
    """

    deployments: tuple[Deployment, ...]
    first_deposit: FirstDeposit | None


@dataclass(frozen=True, slots=True)
class BringUp:
    """One attempt to bring an app up.

    Attributes:
        app: The CDK app.
        target: Where to.
        cdk: The CDK command line.
        state: The state folder.
        steps: Shows progress.
        tags: Stack tags besides our own.
        agree: Asks for consent, on a target that asks first.
        is_temporary: Whether it is for this run alone: what is new is to be gone when that is over.
    """

    app: App
    target: Target
    cdk: Cdk
    state: Path
    steps: Steps
    tags: Mapping[str, str] = field(default_factory=dict)
    agree: Consent = consent.nobody
    is_temporary: bool = False
    _began_ms: int = field(default_factory=lambda: int(time.time() * 1000), init=False)

    def up(self) -> BroughtUp:
        """Start the target, deploy the app's stacks, and see that the bank's works.

        Whatever goes wrong before all of them are deployed, and when the user stops it, nothing
        is left running that did not run before. What is deployed and does not work stays.

        Raises:
            DoesNotWorkError: The bank's does not; the sentence says where it is.
            TidemarkError: Something else failed; what there is to look at is kept.
            InterruptedByUserError: The user stopped it.
        """
        with self._undoing.on_failure():
            rollout = self._start()
            deployments = self._deploy(rollout)
            seen: FirstDeposit | DoesNotWorkError | None
            try:
                seen = self._deposit(deployments, rollout.clients)
            except DoesNotWorkError as error:
                seen = error
            if not self.is_temporary:
                Journal(self.state).keep()
        if isinstance(seen, DoesNotWorkError):
            raise self._say_where(seen, deployments, rollout.clients)
        return BroughtUp(deployments, seen)

    def deploy(self) -> tuple[Deployment, ...]:
        """Deploy the app's stacks to a target that runs.

        Raises:
            TidemarkError: Something failed; what there is to look at is kept.
        """
        with self._undoing.on_failure():
            return self._deploy(self._start())

    def diff(self, connection: Connection) -> str:
        """Say what a deploy would change; nothing but the deployed templates is read.

        Raises:
            TidemarkError: They cannot be compared.
        """
        clients = AwsClients(connection)
        said = []
        try:
            assembly = self._synthesise()
            for one in assembly.stacks:
                live = stacks.describe(clients, one.name)
                deployed = {} if live is None else stacks.live_template(clients, one.name)
                finished = self.cdk.diff(assembly.folder, one.id, deployed)
                if finished.exit_code != 0:
                    raise TidemarkError(f"The diff failed: {last_words(finished.output)}.")
                said.append(finished.output.rstrip())
        except KeyboardInterrupt:
            self.cdk.children.stop()
            raise
        return "\n\n".join(said)

    def _start(self) -> Rollout:
        """Start the target while the app is synthesised; ask and bootstrap there."""
        with ThreadPoolExecutor(1) as pool:
            synthesis_done = pool.submit(self._synthesise)
            try:
                with self.steps.step(f"{self.target.name} target answers"):
                    clients = AwsClients(self.target.start())
                if clients.connection.caller is not None:
                    refuse_settings_that_choose(self.cdk.checkout)  # before anybody is asked
                if self.target.asks_first:
                    self._ask(self._rollout(synthesis_done.result(), clients))
                bootstrap(self.target, clients, self.cdk, self.steps)
                return self._rollout(synthesis_done.result(), clients)
            except BaseException:
                self.cdk.children.stop()  # else leaving the pool would wait for the app
                raise

    def _deploy(self, rollout: Rollout) -> tuple[Deployment, ...]:
        """Deploy the stacks; each is known from then on, whether or not it works."""
        deployments = []
        for one in rollout.run():
            one.save(self.state)
            deployments.append(one)
        shutil.rmtree(self._evidence, ignore_errors=True)  # of a failure that is over
        return tuple(deployments)

    def _deposit(
        self, deployments: tuple[Deployment, ...], clients: AwsClients
    ) -> FirstDeposit | None:
        for one in deployments:
            if one.outputs.keys() >= set(outputs.REQUIRED_OUTPUTS):
                with self.steps.step("a deposit is read back from the query side"):
                    return first_deposit.make(one, clients)
        return None

    def _say_where(
        self, error: DoesNotWorkError, deployments: tuple[Deployment, ...], clients: AwsClients
    ) -> DoesNotWorkError:
        """The error, with where there is something to look at."""
        names = [one.stack_name for one in deployments]
        with suppress(OSError):  # on a full disk, the failure is still the news
            keep_evidence(
                self._evidence, self.target, clients.connection, names, since_ms=self._began_ms
            )
        error.add_note(
            f"It stays as it is, to be looked at with `tidemark logs`; {self._undone_by}."
        )
        if not self.is_temporary:
            error.add_note(f"What there is to look at: {self._evidence}")
        return error

    def _synthesise(self) -> Assembly:
        found = synthesis.find(self.app)
        if found is not None:
            return found
        with self.steps.step("the CDK app is synthesised"):
            return synthesis.synthesise(self.app, self.cdk.children, self.cdk.log_of("synth"))

    def _rollout(self, assembly: Assembly, clients: AwsClients) -> Rollout:
        rollout = Rollout(
            assembly=assembly,
            target=self.target,
            clients=clients,
            cdk=self.cdk,
            steps=self.steps,
            tags=self.tags,
            required=outputs.REQUIRED_OUTPUTS if self.app.is_own else (),
            noted_in=self.state if self.is_temporary and not self.target.is_ours else None,
        )
        rollout.check()
        return rollout

    def _ask(self, rollout: Rollout) -> None:
        """Show what would change, ask, and make what is missing outside the stacks.

        Raises:
            NotStartedError: The answer is no, or a stack of that name is not ours.
        """
        connection = rollout.clients.connection
        preparations = self.target.preparations(connection)
        changes = Changes(
            account=connection.account or "unknown",
            identity=self.target.identity,
            region=connection.region,
            changed=rollout.changed(),
            is_bootstrapped=is_bootstrapped(rollout.clients),
            preparations=preparations,
            tags=rollout.all_tags,
            is_priced=self.app.is_own,
        )
        if not changes.changed:
            names = ", ".join(one.name for one in rollout.assembly.stacks)
            self.steps.say(f"  {changes.where}; {names} is there and current")
            return
        self.agree(changes.lines(), changes.question)
        for one in preparations:
            with self.steps.step(one.what.partition(",")[0]):
                one.make()

    @property
    def _stack_names(self) -> tuple[str, ...]:
        """The stacks' names: what the app says, once it has said something."""
        assembly = synthesis.find(self.app)
        if assembly is None:
            return (self.app.stack_name,)
        return tuple(one.name for one in assembly.stacks)

    @property
    def _undoing(self) -> Undoing:
        return Undoing(
            target=self.target,
            state=self.state,
            children=self.cdk.children,
            evidence=self._evidence,
            stack_names=lambda: self._stack_names,
            began_ms=self._began_ms,
            says_where=not self.is_temporary,
        )

    @property
    def _undone_by(self) -> str:
        if self.is_temporary:
            return "the session removes it at its end"
        # What is on a target that asks first goes only where it is named.
        target = f" --target {self.target.name}" if self.target.asks_first else ""
        return f"`tidemark down{target}` removes it"

    @property
    def _evidence(self) -> Path:
        return self.state / "failed" / self.app.stack_name
