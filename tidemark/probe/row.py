"""Rows: one question to a target each, with AWS's documented answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from tidemark.probe.bench import Bench
    from tidemark.probe.observation import Observation

PATIENT_S = 600.0
"""How long a patient row waits when its documentation states no time."""


@dataclass(frozen=True, slots=True)
class Row:
    """One question to a target.

    Attributes:
        name: Its slug; results are compared by it.
        topic: What it belongs to.
        aws: What AWS documents.
        documentation: Where.
        within_s: How long it may take, in seconds.
        patient_s: How long it may take when the bounds are lifted: what AWS itself may need.
        capability: The capability that tests depend on, if there is one.
        makes: What the rows of its topic make on the target; nothing, if they only read.
        probe: Asks the question.
    """

    name: str
    topic: str
    aws: str
    documentation: str
    within_s: float
    patient_s: float
    capability: str | None
    makes: tuple[str, ...]
    probe: Callable[[Bench], Observation] = field(repr=False)


class Topic:
    """The rows about one topic, in the order in which they are written down.

    Args:
        name: What the topic is called in results.
        makes: What its rows make on the target, in words and in the plural.
    """

    def __init__(self, name: str, *, makes: tuple[str, ...]) -> None:
        self.name = name
        self.makes = makes
        self.rows: list[Row] = []

    def row(
        self,
        name: str,
        *,
        aws: str,
        documentation: str,
        within_s: float,
        patient_s: float = PATIENT_S,
        capability: str | None = None,
    ) -> Callable[[Callable[[Bench], Observation]], Row]:
        """Make a row of a function; see :class:`Row` for the arguments."""

        def register(probe: Callable[[Bench], Observation]) -> Row:
            row = Row(
                name=name,
                topic=self.name,
                aws=aws,
                documentation=documentation,
                within_s=within_s,
                patient_s=max(within_s, patient_s),
                capability=capability,
                makes=self.makes,
                probe=probe,
            )
            self.rows.append(row)
            return row

        return register
