"""What a probe would make on a target that asks first, in lines for a person to read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tidemark.probe.names import PREFIX

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tidemark.probe.row import Row

# What comes with a thing, or stays of it.
_MORE = {
    "functions": "functions with their log groups, and a role",
    "metrics": "a few custom metrics (CloudWatch forgets them after 15 months, not before)",
    "stacks": "small CloudFormation stacks",
    "APIs": "REST APIs",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbePlan:
    """A probe that waits for consent.

    Attributes:
        account: The account.
        identity: Who the credentials belong to.
        region: The region.
        rows: What would be asked.
    """

    account: str
    identity: str
    region: str
    rows: Sequence[Row]

    @property
    def makes(self) -> list[str]:
        """The kinds of things that the rows make, each once; none, if they only read."""
        return list(dict.fromkeys(one for row in self.rows for one in row.makes))

    @property
    def question(self) -> str:
        """What is asked when the lines are read."""
        count = len(self.rows)
        rows = "1 row" if count == 1 else f"{count} rows"
        return f"Probe account {self.account}, {self.region}, with {rows}?"

    def lines(self) -> Iterator[str]:
        """Where, and what is made for a while."""
        yield f"AWS account {self.account}, region {self.region}, as {self.identity}"
        yield ""
        yield f"For as long as it is needed, this makes what it asks about, named {PREFIX}-…:"
        for one in self.makes:
            yield f"  {_MORE.get(one, one)}"
        yield "Each is removed as soon as its row has ended, also if it fails or you press Ctrl-C."
        yield "What could not be removed is named at the end. The deployed stack is only read."
