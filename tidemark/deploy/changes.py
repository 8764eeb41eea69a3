"""What a verb would change on a target that asks first, in lines for a person to read."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tidemark.aws.stacks import LiveStack
    from tidemark.deploy.synthesis import Assembly
    from tidemark.targets.base import Preparation

IDLE_USD_A_MONTH = 6
"""What Tidemark's own stack costs when nobody calls it: stack/README.md says for what."""
PRICED_ON = "2026-11-23"

_MOST_KINDS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A deploy that waits for consent.

    Attributes:
        account: The account.
        identity: Who the credentials belong to.
        region: The region.
        assembly: What would be deployed.
        live: The stack as it is there, if it is.
        is_bootstrapped: Whether the CDK's toolkit stack is there.
        preparations: What else is missing there.
        tags: The stack tags.
    """

    account: str
    identity: str
    region: str
    assembly: Assembly
    live: LiveStack | None
    is_bootstrapped: bool
    preparations: Sequence[Preparation]
    tags: Mapping[str, str]

    @property
    def question(self) -> str:
        """What is asked when the lines are read."""
        verb = "Create" if self.live is None else "Update"
        return f"{verb} {self.assembly.stack_name} in account {self.account}, {self.region}?"

    @property
    def where(self) -> str:
        """Account, region, and who asks."""
        return f"AWS account {self.account}, region {self.region}, as {self.identity}"

    def lines(self) -> Iterator[str]:
        """Where, what, and what it costs when nobody uses it."""
        name = self.assembly.stack_name
        yield self.where
        yield ""
        if self.live is None:
            yield f"{name} is not there yet. This creates:"
        else:
            yield f"{name} is there ({self.live.status}). `tidemark diff` shows what this changes:"
        yield f"  stack {name}: {self._resources()}"
        if not self.is_bootstrapped:
            yield "  stack CDKToolkit: the CDK's bucket, repository and roles; it stays when the stack goes"  # noqa: E501 -- a line for people
        for one in self.preparations:
            yield f"  {one.what}"
        yield f"  tags: {', '.join(f'{key}={value}' for key, value in self.tags.items())}"
        yield f"  tables: {self._retention()}"
        yield ""
        yield (
            f"Idle, it costs about ${IDLE_USD_A_MONTH} a month (list prices of us-east-1, "
            f"{PRICED_ON}); what use costs is in stack/README.md."
        )

    def _resources(self) -> str:
        kinds = Counter(
            str(one["Type"]).rpartition("::")[2]
            for one in self.assembly.template.get("Resources", {}).values()
        )
        named = [f"{count} {kind}" for kind, count in kinds.most_common(_MOST_KINDS)]
        return f"{sum(kinds.values())} resources ({', '.join(named)}, …)"

    def _retention(self) -> str:
        if is_retained(self.assembly.template):
            return "kept when the stack goes, and the stack is protected from deletion"
        return "removed with the stack (--retention retain keeps them)"


def is_retained(template: Mapping[str, object]) -> bool:
    """Whether a template keeps its tables when its stack is deleted."""
    resources = template.get("Resources")
    return isinstance(resources, dict) and any(
        one.get("Type") == "AWS::DynamoDB::Table" and one.get("DeletionPolicy") == "Retain"
        for one in resources.values()
        if isinstance(one, dict)  # a loop of CloudFormation's is a list
    )
