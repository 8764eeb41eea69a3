"""The result of a probe: what it says of every row, as it is kept and compared."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Self

from tidemark.errors import NotStartedError
from tidemark.host.state import read_json
from tidemark.probe.observation import Comparison

if TYPE_CHECKING:
    from collections.abc import Container, Mapping, Sequence
    from pathlib import Path

    from tidemark.probe.observation import Observation
    from tidemark.probe.row import Row

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class RowResult:
    """What one row found.

    Attributes:
        name: The row's slug.
        topic: What it belongs to.
        capability: The capability that it decides, if any.
        aws: What AWS documents.
        documentation: Where.
        comparison: How the target compares.
        observed: What the target did; the reason, when nothing was observed.
        measured: Figures that vary from run to run.
        within_s: How long the row could have taken, in seconds.
        duration_s: How long it took, in seconds.
    """

    name: str
    topic: str
    capability: str | None
    aws: str
    documentation: str
    comparison: Comparison
    observed: str
    measured: str
    within_s: float
    duration_s: float

    @classmethod
    def of(cls, row: Row, observation: Observation, *, within_s: float, duration_s: float) -> Self:
        """What a row found."""
        return cls(
            name=row.name,
            topic=row.topic,
            capability=row.capability,
            aws=row.aws,
            documentation=row.documentation,
            comparison=observation.comparison,
            observed=observation.observed,
            measured=observation.measured,
            within_s=within_s,
            duration_s=round(duration_s, 1),
        )

    @property
    def is_missing(self) -> bool:
        """Whether the target does not do what AWS documents."""
        return self.comparison in (Comparison.DIFFERS, Comparison.NOT_SEEN)

    @property
    def comparison_in_words(self) -> str:
        """The comparison, with the bound where one was reached."""
        if self.comparison is Comparison.NOT_SEEN:
            return f"not seen within {self.within_s:g} s"
        return self.comparison.value


@dataclass(frozen=True, slots=True)
class Result:
    """A finished probe.

    Attributes:
        target: The target's name.
        date: The day, UTC, as YYYY-MM-DD.
        versions: What was at work, by component.
        duration_s: How long it took, in seconds.
        row_results: One per row, in the order of the rows.
    """

    target: str
    date: str
    versions: Mapping[str, str]
    duration_s: float
    row_results: Sequence[RowResult]

    def as_json(self) -> dict[str, Any]:
        """The document that is printed, kept and compared."""
        document = asdict(self)
        rows = document.pop("row_results")
        return {"schema": SCHEMA, **document, "rows": rows}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """The result that a document holds.

        Raises:
            ValueError: It holds none, or one of another schema.
        """
        if document.get("schema") != SCHEMA:
            raise ValueError(f"its schema is {document.get('schema')!r}, not {SCHEMA}")
        try:
            return cls(
                target=document["target"],
                date=document["date"],
                versions=document["versions"],
                duration_s=document["duration_s"],
                row_results=[_row_result(one) for one in document["rows"]],
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"it lacks {error}") from error

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a kept result.

        Raises:
            NotStartedError: There is none in this file.
        """
        document = read_json(path)
        if document is None:
            raise NotStartedError(
                f"{path} holds no result of a probe: write one with `tidemark probe --json`."
            )
        try:
            return cls.from_json(document)
        except ValueError as error:
            raise NotStartedError(f"{path} holds no result of this probe: {error}.") from error

    def only(self, names: Container[str]) -> Self:
        """The same with the rows of these names alone."""
        return replace(self, row_results=[one for one in self.row_results if one.name in names])

    def lacking(self) -> frozenset[str]:
        """The capabilities that the target was found to lack."""
        return frozenset(
            one.capability for one in self.row_results if one.capability and one.is_missing
        )


def _row_result(document: Mapping[str, Any]) -> RowResult:
    values = {one.name: document[one.name] for one in fields(RowResult)}
    return RowResult(**{**values, "comparison": Comparison(document["comparison"])})
