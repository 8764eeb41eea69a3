"""Decisions are numbered, complete and listed."""

from __future__ import annotations

import re

import pytest

from tests.project.reading import ROOT, Document

FOLDER = ROOT / "docs/adr"
SECTIONS = ["Status", "Context", "Decision", "Consequences", "Alternatives"]
DECISIONS = [Document.at(path) for path in sorted(FOLDER.glob("[0-9]*.md"))]


def problems_of(document: Document) -> list[str]:
    """What a decision lacks."""
    found = []
    number = int(document.path.name[:4])
    if not document.text.startswith(f"# {number}. "):
        found.append("its title has another number")
    if document.sections != SECTIONS:
        found.append(f"its sections are {document.sections}")
        return found
    parts = dict(
        zip(SECTIONS, re.split(r"^## .+$", document.text, flags=re.MULTILINE)[1:], strict=True)
    )
    found += [f"{name} is empty" for name, text in parts.items() if len(text.split()) < 2]
    if not re.match(r"\s*(Proposed|Accepted|Superseded by .+), \d{4}-\d\d-\d\d\.", parts["Status"]):
        found.append("its status has no date")
    for kind in ("Good", "Bad"):
        if not re.search(rf"^{kind}:\n\n- ", parts["Consequences"], re.MULTILINE):
            found.append(f"it names no {kind.lower()} consequence")
    if "- **" not in parts["Alternatives"]:
        found.append("it names no alternative")
    return found


@pytest.mark.parametrize("decision", DECISIONS, ids=lambda one: one.path.stem)
def test_a_decision_is_complete(decision: Document) -> None:
    assert problems_of(decision) == []


def test_decisions_are_numbered_without_gaps() -> None:
    assert [one.path.name[:5] for one in DECISIONS] == [
        f"{number:04d}-" for number in range(1, len(DECISIONS) + 1)
    ]
    assert len(DECISIONS) >= 11


def test_every_decision_is_listed_under_its_title() -> None:
    rows = re.findall(
        r"^\| \[(\d{4})\]\(([^)]+)\) \| (.+) \|$", (FOLDER / "README.md").read_text(), re.MULTILINE
    )
    titles = [one.text.partition("\n")[0].partition(". ")[2] for one in DECISIONS]
    expected = [
        (one.path.name[:4], one.path.name, title)
        for one, title in zip(DECISIONS, titles, strict=True)
    ]
    assert rows == expected


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("# 1. ", "# 2. "),
        ("## Alternatives", "## Options"),
        ("Accepted, 2026-11-23.", "Accepted."),
        ("Bad:", "Also:"),
    ],
)
def test_an_incomplete_decision_is_noticed(before: str, after: str) -> None:
    first = DECISIONS[0]
    broken = Document(first.path, first.text.replace(before, after))
    assert broken.text != first.text
    assert problems_of(broken)
