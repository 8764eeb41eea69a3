"""Rolling out: the stacks of an assembly come to a target that answers, one after the other."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from tidemark.aws import stacks
from tidemark.deploy import custom_resources, outputs, teardown
from tidemark.deploy.cdk import last_words
from tidemark.deploy.undoing import DeployError, stopped_with
from tidemark.errors import NotStartedError, TidemarkError
from tidemark.host.waiting import NotSeenError, NotYetError, eventually

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tidemark.aws.clients import AwsClients
    from tidemark.aws.stacks import LiveStack
    from tidemark.deploy.assembly import Assembly, SynthesisedStack
    from tidemark.deploy.cdk import Cdk
    from tidemark.host.deployment import Deployment
    from tidemark.host.progress import Steps
    from tidemark.targets.base import Target

_OUTPUTS_WITHIN_S = 15.0
# An emulator's clock and this one are the same but for rounding.
_CLOCK_SLACK = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class Rollout:
    """What is to be deployed, and where to.

    Attributes:
        assembly: What the app synthesised.
        target: The target.
        clients: Its clients.
        cdk: The CDK command line.
        steps: Shows progress.
        tags: The tags that each stack must have, besides those that others gave it and our own.
        required: Outputs that each stack must have besides those that its template declares.
        noted_in: The state folder whose journal has the stacks that are new, to delete them later.
    """

    assembly: Assembly
    target: Target
    clients: AwsClients
    cdk: Cdk
    steps: Steps
    tags: Mapping[str, str] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    noted_in: Path | None = None

    @property
    def all_tags(self) -> Mapping[str, str]:
        """The tags that a deploy gives a stack."""
        return {**self.tags, **stacks.OUR_TAGS}

    def check(self) -> None:
        """See that the app's stacks go where the target is.

        Raises:
            TidemarkError: The app fixes another account or region.
        """
        at = self.clients.connection
        for stack in self.assembly.stacks:
            if stack.region not in {None, at.region} or (
                at.account is not None and stack.account not in {None, at.account}
            ):
                raise TidemarkError(
                    f"The CDK app fixes {stack.name} to account {stack.account or 'any'}, region "
                    f"{stack.region or 'any'}, and the {self.target.name} target is "
                    f"{at.account or 'any account'}, {at.region}: leave `env` out of the app."
                )

    def changed(self) -> list[tuple[SynthesisedStack, LiveStack | None]]:
        """The stacks that a deploy would create, change or repair, each as it is there.

        Raises:
            NotStartedError: There is a stack of that name that somebody else made.
        """
        at = self.clients.connection
        found = [
            (one, stacks.await_settled(self.clients, one.name)) for one in self.assembly.stacks
        ]
        for stack, live in found:
            if live is not None and not live.is_ours:
                raise NotStartedError(
                    f"{stack.name} in account {at.account}, {at.region}, is not of Tidemark's "
                    "making (no tag project=tidemark): choose another --stack-name."
                )
        return [(stack, live) for stack, live in found if self._differs(stack, live)]

    def run(self) -> Iterator[Deployment]:
        """Deploy what differs.

        Yields:
            Each stack's deployment once the stack is what was synthesised.

        Raises:
            TidemarkError: CloudFormation did not bring one where it was to be.
        """
        if (modules := self.target.node_modules) is not None:
            custom_resources.bring_sdk(self.assembly, modules, self.cdk, self.steps)
        for stack in self.assembly.stacks:
            live = stacks.await_settled(self.clients, stack.name)
            if self._differs(stack, live) or live is None:
                with self.steps.step(f"{stack.name} is deployed"):
                    self._deploy(stack, live)
                live = self._verified(stack)
                if self.target.is_ours:
                    custom_resources.tag_buckets(stack, self.clients)
            yield outputs.deployment_of(self.target, self.clients, stack.name, live)

    def _differs(self, stack: SynthesisedStack, live: LiveStack | None) -> bool:
        """Whether a deploy would change a stack, or has something to repair."""
        return (
            live is None
            or not live.is_settled
            or bool(outputs.lacking(live, self._required(stack)))
            or not self.tags.items() <= live.tags.items()
            or stacks.live_digest(self.clients, stack.name) != stack.digest
        )

    def _required(self, stack: SynthesisedStack) -> tuple[str, ...]:
        return tuple(dict.fromkeys([*stack.declared_outputs, *self.required]))

    def _deploy(self, stack: SynthesisedStack, live: LiveStack | None) -> None:
        since = datetime.now(UTC) - _CLOCK_SLACK
        # A deploy replaces a stack's tags as a whole: those that others gave it stay.
        tags = {**(live.tags if live is not None else {}), **self.all_tags}
        if live is None and self.noted_in is not None:
            place = outputs.place_of(self.target, self.clients.connection, stack.name)
            teardown.begin(self.noted_in, place)
        with stopped_with(self.target, self.cdk.children):
            finished = self.cdk.deploy(
                self._pinned().folder, stack.id, self.clients.connection, tags
            )
        if finished.exit_code != 0:
            reason = stacks.failure(self.clients.cloudformation, stack.name, since)
            raise DeployError(
                f"The deploy of {stack.name} failed: {reason or last_words(finished.output)} "
                f"(all of it: {self.cdk.log_of('deploy')})."
            )

    def _pinned(self) -> Assembly:
        """The assembly, on AWS bound to the account and region that were shown."""
        at = self.clients.connection
        if at.caller is None:
            return self.assembly
        folder = self.cdk.state / "cdk" / "pinned"
        return self.assembly.pinned(folder, at.caller.identity.account, at.region)

    def _verified(self, stack: SynthesisedStack) -> LiveStack:
        """The deployed stack, once it is what was synthesised."""

        def probe() -> LiveStack:
            live = stacks.describe(self.clients, stack.name)
            if live is None or not live.is_settled:
                raise NotYetError("no such stack" if live is None else live.status)
            if missing := outputs.lacking(live, self._required(stack)):
                raise NotYetError(f"no output {', '.join(missing)}")
            return live

        try:
            live = eventually(
                probe, within_s=_OUTPUTS_WITHIN_S, what=f"{stack.name} with its outputs"
            )
        except NotSeenError as not_seen:
            raise TidemarkError(
                f"The deploy ended well and the stack is not whole: {not_seen} Deploy it again."
            ) from not_seen
        if (deployed := stacks.live_digest(self.clients, stack.name)) != stack.digest:
            raise TidemarkError(
                f"The deployed template of {stack.name} is not the synthesised one "
                f"({deployed[:12]} instead of {stack.digest[:12]}): deploy it again."
            )
        return live
