"""Bringing a stack up: target, bootstrap, deploy, verify, prove."""

from __future__ import annotations

import shutil
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from tidemark import consent, evidence, proof, stacks, synthesis
from tidemark.aws import Clients
from tidemark.cdk import Cdk, last_words
from tidemark.deployment import Deployment
from tidemark.errors import InterruptedByUserError, RefusedError, TidemarkError
from tidemark.plan import Plan, is_retained
from tidemark.waiting import NotSeenError, NotYetError, eventually

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from tidemark.consent import Consent
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
# By these, a stack that was not recorded here is known to be ours.
OUR_TAGS = {"project": "tidemark"}
_OUTPUTS_WITHIN_S = 15.0
_LOOK_EVERY_S = 2.0
_INTERRUPTING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# An emulator's clock and this one are the same but for rounding.
_CLOCK_SLACK = timedelta(seconds=2)


class _DeployError(TidemarkError):
    """CloudFormation did not bring the stack where it was to be."""


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
    required: tuple[str, ...] | None = REQUIRED_OUTPUTS
    undone_by: str = "`tidemark down` removes it"

    @property
    def _stack_name(self) -> str:
        """The stack's name: what the app says, once it has said something."""
        assembly = synthesis.find(self.app)
        return self.app.stack_name if assembly is None else assembly.stack_name

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
        with self._undone_on_failure(stop_target=starts_it):
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
            if deployment.outputs.keys() >= set(REQUIRED_OUTPUTS):
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

    @contextmanager
    def _undone_on_failure(self, *, stop_target: bool) -> Iterator[None]:
        try:
            yield
        except BaseException as error:
            with _uninterrupted():
                self.cdk.children.stop()
                how_ended = self._clean_up(error, stop_target=stop_target)
            if isinstance(error, KeyboardInterrupt):
                raise InterruptedByUserError(self._interrupted(stop_target)) from None
            if how_ended is not None:
                ended = TidemarkError(
                    f"The {self.target.name} target ended meanwhile ({how_ended}) and its rest is "
                    "removed: try again, and it starts anew, empty."
                )
                self._note_evidence(ended)
                raise ended from error
            if isinstance(error, TidemarkError) and not isinstance(error, RefusedError):
                self._note_evidence(error)
            raise

    @contextmanager
    def _watched_target(self) -> Iterator[None]:
        """Stop the CDK when the target ends: by itself it would go on asking for a minute."""
        is_over = threading.Event()

        def watch() -> None:
            while not is_over.wait(_LOOK_EVERY_S):
                if self.target.how_ended() is not None:
                    self.cdk.children.stop()
                    return

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            yield
        finally:
            is_over.set()
            watcher.join()

    def _note_evidence(self, error: TidemarkError) -> None:
        """Say where there is something to look at, if there is."""
        if not self._evidence.is_dir():
            return
        if any(self._evidence.iterdir()):
            error.add_note(f"What there is to look at: {self._evidence}")
        else:
            self._evidence.rmdir()

    def _clean_up(self, error: BaseException, *, stop_target: bool) -> str | None:
        """Keep what there is to look at and remove the rest; say how the target ended, if so."""
        how_ended = None
        try:
            if not isinstance(error, KeyboardInterrupt | RefusedError):
                how_ended = self.target.how_ended()
            # The watcher interrupts, too: then it is the end of the target that is looked at.
            if how_ended is not None or not isinstance(
                error, KeyboardInterrupt | InterruptedByUserError | RefusedError
            ):
                # Nothing can be kept on a full disk, and everything can be removed.
                with suppress(OSError):
                    evidence.keep(self._evidence, self.target, self.target.find(), self._stack_name)
            if isinstance(error, _DeployError) and not stop_target and how_ended is None:
                self._remove_what_never_was()
        finally:
            if stop_target or how_ended is not None:
                self._stop_target(error)
        return how_ended

    def _stop_target(self, error: BaseException) -> None:
        try:
            self.target.stop()
        except TidemarkError as left:
            error.add_note(f"Something may be left running ({left}): {self.undone_by}.")

    def _remove_what_never_was(self) -> None:
        """Delete a stack whose creation failed: nothing is left of it but its name."""
        connection = self.target.find()
        if connection is None:
            return
        clients = Clients(connection)
        # What cannot be deleted now, the next deploy deletes: the failure is the news.
        with suppress(BotoCoreError, ClientError, TidemarkError):
            live = stacks.describe(clients, self._stack_name)
            if live is not None and live.is_a_failed_creation:
                stacks.delete(clients, self._stack_name)

    def _interrupted(self, stop_target: bool) -> str:  # noqa: FBT001 -- what the caller was told
        if not self.target.is_ours:
            return (
                f"Interrupted; what CloudFormation has begun on {self.target.name}, it finishes "
                "by itself: `tidemark up` goes on from there."
            )
        left = "nothing of it is left running" if stop_target else "the target runs on"
        return f"Interrupted; {left}."

    def _ask(self, assembly: Assembly, connection: Connection) -> None:
        """Show what would change, ask, and make what is missing outside the stack.

        Raises:
            RefusedError: The answer is no, or the stack of that name is not ours.
        """
        clients = Clients(connection)
        live = stacks.settled(clients, assembly.stack_name)
        if live is not None and not is_ours(live):
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
        return {**self.tags, **OUR_TAGS}

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
        toolkit = stacks.settled(clients, stacks.TOOLKIT_STACK)
        if toolkit is not None and toolkit.is_settled:
            return
        with self.steps.step("the account is bootstrapped"), self._watched_target():
            finished = self.cdk.run(self.cdk.bootstrap(connection, account))
        if finished.exit_code != 0:
            reason = stacks.failure(clients.cloudformation, stacks.TOOLKIT_STACK)
            raise TidemarkError(
                f"The CDK bootstrap failed: {reason or last_words(finished.output)} "
                f"(all of it: {self.cdk.log_of('bootstrap')})."
            )

    def _deploy(self, assembly: Assembly, connection: Connection) -> Deployment:
        clients = Clients(connection)
        digest = assembly.digest
        live = stacks.settled(clients, assembly.stack_name)
        if live is None or self._differs(live, assembly, clients):
            with self.steps.step(f"{assembly.stack_name} is deployed"):
                self._run_deploy(assembly, connection, clients, live)
            live = self._verified(assembly, clients, digest)
        required = self._required(assembly)
        return deployment_of(
            self.target, connection, assembly.stack_name, clients, live, required=required
        )

    def _required(self, assembly: Assembly) -> tuple[str, ...]:
        return assembly.declared_outputs if self.required is None else self.required

    def _differs(self, live: LiveStack, assembly: Assembly, clients: Clients) -> bool:
        """Whether a deploy would change a stack, or has something to repair."""
        return (
            not live.is_settled
            or bool(_missing(live, self._required(assembly)))
            or not self.tags.items() <= live.tags.items()
            or stacks.live_digest(clients, assembly.stack_name) != assembly.digest
        )

    def _run_deploy(
        self,
        assembly: Assembly,
        connection: Connection,
        clients: Clients,
        live: LiveStack | None,
    ) -> None:
        since = datetime.now(UTC) - _CLOCK_SLACK
        # A deploy replaces a stack's tags as a whole: those that others gave it stay.
        tags = {**(live.tags if live is not None else {}), **self.all_tags}
        with self._watched_target():
            finished = self.cdk.run(self.cdk.deploy(assembly.folder, connection, tags))
        if finished.exit_code != 0:
            reason = stacks.failure(clients.cloudformation, assembly.stack_name, since)
            raise _DeployError(
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
            if missing := _missing(live, self._required(assembly)):
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


def is_ours(live: LiveStack) -> bool:
    """Whether a stack is of our making, or nobody's yet: who proposes one, has not tagged it."""
    return live.is_proposed or OUR_TAGS.items() <= live.tags.items()


def deployment_of(
    target: Target,
    connection: Connection,
    stack_name: str,
    clients: Clients,
    live: LiveStack,
    *,
    required: Iterable[str] = REQUIRED_OUTPUTS,
) -> Deployment:
    """The deployment that a live stack is.

    Raises:
        TidemarkError: It lacks required outputs, by default those that every verb relies on.
    """
    if missing := _missing(live, required):
        raise TidemarkError(
            f"{stack_name} is {live.status} and has no output {', '.join(missing)}: run "
            f"`tidemark up --target {target.name}`, which repairs it."
        )
    template = stacks.live_template(clients, stack_name)
    api = [live.outputs[name] for name in ("RestApiId", "ApiStage") if name in live.outputs]
    return Deployment(
        target=target.name,
        endpoint=connection.endpoint,
        region=connection.region,
        stack_name=stack_name,
        api_url=target.api_url(connection, *api) if len(api) == 2 else "",
        template_digest=synthesis.template_digest(template),
        outputs=live.outputs,
        settings=target.settings,
        is_retained=is_retained(template),
    )


def _missing(live: LiveStack, required: Iterable[str]) -> list[str]:
    return [name for name in required if not live.outputs.get(name)]


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
