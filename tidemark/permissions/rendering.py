"""The proof for people and for programs."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from tidemark.permissions.objections import Grant

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tidemark.permissions.objections import Proof, Row

_MARKS = {True: "yes", False: "NO", None: "-"}


def rows(proofs: Mapping[str, Proof]) -> Iterator[list[str]]:
    """What was checked: who, what and why, and for each wiring whether it is covered."""
    # Actions that share all else share a row.
    actions: dict[tuple[str, ...], dict[str, None]] = {}
    verdicts = {
        wiring: {_key(row): row.is_covered for row in proof.rows}
        for wiring, proof in proofs.items()
    }
    found = {_key(row): row for proof in proofs.values() for row in proof.rows}
    for key, row in found.items():
        marks = [_MARKS[of_wiring.get(key)] for of_wiring in verdicts.values()]
        shared = (row.who, row.grant.resource, row.grant.leading_key, row.why, *marks)
        actions.setdefault(shared, {})[row.grant.action] = None
    # One wiring after the other, but all of a function together.
    order = list(dict.fromkeys(row.who for row in found.values()))
    last = ""
    for shared, named in sorted(actions.items(), key=lambda one: order.index(one[0][0])):
        who, resource, leading_key, why, *marks = shared
        grant = Grant(_join(named), resource, leading_key)
        yield ["" if who == last else who, f"{grant} ({why})", *marks]
        last = who


def objections(proofs: Mapping[str, Proof]) -> list[str]:
    """What is wrong, one line each, with the wirings in which it is."""
    wirings: dict[str, list[str]] = {}
    for wiring, proof in proofs.items():
        for objection in proof.objections:
            wirings.setdefault(f"{objection.kind}: {objection.sentence}", []).append(wiring)
    return [f"{said} ({', '.join(where)})" for said, where in wirings.items()]


def as_json(proofs: Mapping[str, Proof]) -> dict[str, Any]:
    """The same as one JSON object."""
    return {
        "verdict": "holds" if all(proof.holds for proof in proofs.values()) else "violated",
        "wirings": {
            wiring: {
                "rows": [
                    {
                        "who": row.who,
                        **asdict(row.grant),
                        "why": row.why,
                        "is_covered": row.is_covered,
                    }
                    for row in proof.rows
                ],
                "objections": [asdict(one) for one in proof.objections],
            }
            for wiring, proof in proofs.items()
        },
    }


def _join(actions: Iterable[str]) -> str:
    """`sqs:DeleteMessage, ReceiveMessage`: the service of all of them is said once."""
    service = ""
    said = []
    for action in actions:
        prefix, _, name = action.partition(":")
        said.append(name if prefix == service else action)
        service = prefix
    return ", ".join(said)


def _key(row: Row) -> tuple[str, ...]:
    return (row.who, row.grant.action, row.grant.resource, row.grant.leading_key, row.why)
