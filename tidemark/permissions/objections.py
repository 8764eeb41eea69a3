"""What comes out of a proof: what was checked, and what is wrong."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tidemark.permissions.template import Template


@dataclass(frozen=True, slots=True)
class Grant:
    """An action on a resource, limited to a pattern of leading keys if there is one."""

    action: str
    resource: str
    leading_key: str = ""

    def __str__(self) -> str:
        limit = f" with leading keys {self.leading_key}" if self.leading_key else ""
        return f"{self.action} on {self.resource}{limit}"


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that was checked.

    Attributes:
        who: The function, or the edge.
        grant: What it needs.
        why: Why it needs that.
        is_covered: Whether the policies allow it.
    """

    who: str
    grant: Grant
    why: str
    is_covered: bool


@dataclass(frozen=True, slots=True)
class Objection:
    """Something that is wrong with a template's policies.

    Attributes:
        kind: `denied`, `unused`, `uncovered` or `open`.
        sentence: What, for people.
    """

    kind: str
    sentence: str


@dataclass
class Proof:
    """What came out for one template."""

    rows: list[Row] = field(default_factory=list)
    objections: list[Objection] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Whether nothing is wrong."""
        return not self.objections

    def object(self, kind: str, sentence: str) -> None:
        """Say what is wrong."""
        self.objections.append(Objection(kind, sentence))


def readable(template: Template, grant: Grant) -> Grant:
    """The grant, its resource called as people do."""
    for resource in template.resources.values():
        arn = resource.arn.removesuffix(":*") if resource.has_arn else ""
        name, found, tail = grant.resource.partition(arn) if arn else ("", "", "")
        if found and not name and not tail[:1].isalnum():
            return replace(grant, resource=template.name(resource) + tail)
    return grant
