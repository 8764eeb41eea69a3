"""Bringing a stack up: target, bootstrap, deploy, verify, prove."""

from __future__ import annotations

import shutil
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from tidemark import evidence, proof, stacks, synthesis
from tidemark.aws import Clients
from tidemark.cdk import Cdk, last_words
from tidemark.deployment import Deployment
from tidemark.errors import InterruptedByUserError, TidemarkError
from tidemark.waiting import NotSeenError, NotYetError, eventually

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tidemark.environment import Connection
    from tidemark.processes import Finished
    from tidemark.progress import Steps
    from tidemark.proof import Proof
    from tidemark.stacks import LiveStack
    from tidemark.synthesis import App, Assembly
    from tidemark.targets.base import Target

# What every verb after `up` relies on; the stack's other outputs depend on its wiring.
REQUIRED_OUTPUTS = (
    "ApiStage",
    "CommandHandlerName",
    "CommandTableName",
    "DeadLetterQueueName",
    "OutboxSweeperName",
    "QueryHandlerName",
    "QueryTableName",
    "RestApiId",
    "TopicArn",
    "UpdateProcessorName",
    "Wiring",
)
_OUTPUTS_WITHIN_S = 15.0
_INTERRUPTING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
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
    """

    app: App
    target: Target
    cdk: Cdk
    state: Path
    steps: Steps

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
        was_running = self.target.find() is not None
        with self._undone_on_failure(stop_target=not was_running):
            with ThreadPoolExecutor(1) as pool:
                synthesis_done = pool.submit(self._synthesise)
                try:
                    with self.steps.step(f"{self.target.name} target answers"):
                        connection = self.target.start()
                    self._bootstrap(connection)
                    assembly = synthesis_done.result()
                except BaseException:
                    self.cdk.children.stop()  # else leaving the pool would wait for the app
                    raise
            deployment = self._deploy(assembly, connection)
            with self.steps.step("a deposit is read back from the query side"):
                seen = proof.prove(deployment, Clients(connection))
        deployment.save(self.state)
        shutil.rmtree(self._evidence, ignore_errors=True)  # of a failure that is over
        return deployment, seen

    def deploy(self, connection: Connection) -> Deployment:
        """Deploy the stack to a target that runs, and record it.

        Raises:
            TidemarkError: Something failed; what there is to look at is kept.
        """
        with self._undone_on_failure(stop_target=False):
            assembly = self._synthesise()
            self._bootstrap(connection)
            deployment = self._deploy(assembly, connection)
        deployment.save(self.state)
        return deployment

    def diff(self, connection: Connection) -> Finished:
        """Compare what is deployed on a target with what a deploy would bring."""
        try:
            assembly = self._synthesise()
            return self.cdk.diff(assembly.folder, connection)
        except KeyboardInterrupt:
            self.cdk.children.stop()
            raise

    @contextmanager
    def _undone_on_failure(self, *, stop_target: bool) -> Iterator[None]:
        try:
            yield
        except BaseException as error:
            with _uninterrupted():
                self.cdk.children.stop()
                if not isinstance(error, KeyboardInterrupt):
                    evidence.keep(
                        self._evidence, self.target, self.target.find(), self.app.stack_name
                    )
                if stop_target:
                    self.target.stop()
            if isinstance(error, KeyboardInterrupt):
                left = "nothing of it is left running" if stop_target else "the target runs on"
                raise InterruptedByUserError(f"Interrupted; {left}.") from None
            if isinstance(error, TidemarkError):
                error.add_note(f"What there is to look at: {self._evidence}")
            raise

    def _synthesise(self) -> Assembly:
        found = synthesis.find(self.app)
        if found is not None:
            return found
        with self.steps.step("the CDK app is synthesised"):
            return synthesis.synthesise(self.app, self.cdk.children, self.cdk.log_of("synth"))

    def _bootstrap(self, connection: Connection) -> None:
        clients = Clients(connection)
        account = clients.sts.get_caller_identity()["Account"]
        if connection.account not in (None, account):
            raise TidemarkError(
                f"The {self.target.name} target answers for account {account} where "
                f"{connection.account} is expected: nothing was deployed."
            )
        toolkit = stacks.describe(clients, stacks.TOOLKIT_STACK)
        if toolkit is not None and toolkit.is_settled:
            return
        with self.steps.step("the account is bootstrapped"):
            finished = self.cdk.bootstrap(connection, account)
        if finished.exit_code != 0:
            reason = stacks.failure(clients.cloudformation, stacks.TOOLKIT_STACK)
            raise TidemarkError(
                f"The CDK bootstrap failed: {reason or last_words(finished.output)} "
                f"(all of it: {self.cdk.log_of('bootstrap')})."
            )

    def _deploy(self, assembly: Assembly, connection: Connection) -> Deployment:
        clients = Clients(connection)
        digest = assembly.digest
        live = stacks.describe(clients, assembly.stack_name)
        if (
            live is None
            or not live.is_settled
            or _missing(live)
            or stacks.live_digest(clients, assembly.stack_name) != digest
        ):
            with self.steps.step(f"{assembly.stack_name} is deployed"):
                self._run_deploy(assembly, connection, clients)
            live = self._verified(assembly, clients, digest)
        return Deployment(
            target=self.target.name,
            endpoint=connection.endpoint,
            region=connection.region,
            stack_name=assembly.stack_name,
            api_url=self.target.api_url(
                connection, live.outputs["RestApiId"], live.outputs["ApiStage"]
            ),
            template_digest=digest,
            outputs=live.outputs,
            settings=self.target.settings,
        )

    def _run_deploy(self, assembly: Assembly, connection: Connection, clients: Clients) -> None:
        since = datetime.now(UTC) - _CLOCK_SLACK
        finished = self.cdk.deploy(assembly.folder, connection)
        if finished.exit_code != 0:
            reason = stacks.failure(clients.cloudformation, assembly.stack_name, since)
            raise TidemarkError(
                f"The deploy of {assembly.stack_name} failed: "
                f"{reason or last_words(finished.output)} "
                f"(all of it: {self.cdk.log_of('deploy')})."
            )

    def _verified(self, assembly: Assembly, clients: Clients, digest: str) -> LiveStack:
        """The deployed stack, once it is what was synthesised."""

        def probe() -> LiveStack | None:
            live = stacks.describe(clients, assembly.stack_name)
            if live is None or not live.is_settled:
                raise NotYetError("no such stack" if live is None else live.status)
            if missing := _missing(live):
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


def _missing(live: LiveStack) -> list[str]:
    return [name for name in REQUIRED_OUTPUTS if not live.outputs.get(name)]


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Finish cleaning up although the user presses Ctrl-C again."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread is ever interrupted
        return
    before = {one: signal.signal(one, signal.SIG_IGN) for one in _INTERRUPTING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
