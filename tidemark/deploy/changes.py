"""What a deploy would change on a target that asks first, in lines for a person to read."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tidemark.deploy.kept import is_retained

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tidemark.aws.stacks import LiveStack
    from tidemark.deploy.assembly import SynthesisedStack
    from tidemark.targets.base import Preparation

IDLE_USD_A_MONTH = 7
"""What Tidemark's own stack costs when nobody calls it: stack/README.md says for what."""
PRICED_ON = "2026-11-23"

_MOST_KINDS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """A deploy that waits for consent.

    Attributes:
        account: The account.
        identity: Who the credentials belong to.
        region: The region.
        changed: What would be deployed, each with the stack as it is there, if it is.
        is_bootstrapped: Whether the CDK's toolkit stack is there.
        preparations: What else is missing there.
        tags: The stack tags.
        is_priced: Whether it is Tidemark's own stack, of which the cost is known.
    """

    account: str
    identity: str
    region: str
    changed: Sequence[tuple[SynthesisedStack, LiveStack | None]]
    is_bootstrapped: bool
    preparations: Sequence[Preparation]
    tags: Mapping[str, str]
    is_priced: bool

    @property
    def question(self) -> str:
        """What is asked when the lines are read."""
        is_new = all(live is None or live.is_a_failed_creation for _, live in self.changed)
        verb = "Create" if is_new else "Update"
        names = ", ".join(stack.name for stack, _ in self.changed)
        return f"{verb} {names} in account {self.account}, {self.region}?"

    @property
    def where(self) -> str:
        """Account, region, and who asks."""
        return f"AWS account {self.account}, region {self.region}, as {self.identity}"

    def lines(self) -> Iterator[str]:
        """Where, what, and what it costs when nobody uses it."""
        yield self.where
        yield ""
        for stack, live in self.changed:
            if live is None or live.is_a_failed_creation:  # which the deploy deletes first
                yield f"{stack.name} is not there yet. This creates:"
            else:
                yield (
                    f"{stack.name} is there ({live.status}). `tidemark diff` shows what this "
                    "changes:"
                )
            yield f"  stack {stack.name}: {_resources(stack.template)}"
            yield f"  tables: {_retention(stack.template)}"
        if not self.is_bootstrapped:
            yield (
                "  stack CDKToolkit: the CDK's bucket, repository and roles; it stays when the "
                "stack goes"
            )
        for one in self.preparations:
            yield f"  {one.what}"
        yield f"  tags: {', '.join(f'{key}={value}' for key, value in self.tags.items())}"
        yield ""
        if self.is_priced:
            yield (
                f"Idle, it costs about ${IDLE_USD_A_MONTH} a month (list prices of us-east-1, "
                f"{PRICED_ON}); what use costs is in stack/README.md."
            )


def _resources(template: Mapping[str, Any]) -> str:
    found = template.get("Resources", {}).values()
    # A loop of CloudFormation's is a list.
    kinds = Counter(one["Type"].rpartition("::")[2] for one in found if isinstance(one, dict))
    named = [f"{count} {kind}" for kind, count in kinds.most_common(_MOST_KINDS)]
    return f"{sum(kinds.values())} resources ({', '.join(named)}, …)"


def _retention(template: Mapping[str, Any]) -> str:
    if is_retained(template):
        return "kept when the stack goes, and the stack is protected from deletion"
    return "removed with the stack (--retention retain keeps them)"
