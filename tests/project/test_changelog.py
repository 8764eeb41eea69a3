"""The changelog is in the format that it names."""

from __future__ import annotations

import re

import pytest

from tests.project.reading import ROOT, Document

KINDS = ["Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"]


def problems_of(text: str) -> list[str]:
    """Where a text departs from Keep a Changelog."""
    lines = text.splitlines()
    found = [] if lines[0] == "# Changelog" else ["its title is no changelog's"]
    releases = re.findall(r"^## (.+)$", text, re.MULTILINE)
    if releases[:1] != ["[Unreleased]"]:
        found.append("nothing is unreleased")
    dated = r"\[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d"
    found += [f"{one} has no version and date" for one in releases[1:] if not re.match(dated, one)]
    versions = [[int(part) for part in re.findall(r"\d+", one)[:3]] for one in releases[1:]]
    if versions != sorted(versions, reverse=True):
        found.append("its releases are out of order")
    for release in re.split(r"^## .+$", text, flags=re.MULTILINE)[1:]:
        kinds = re.findall(r"^### (.+)$", release, re.MULTILINE)
        found += [f"{kind} is no kind of change" for kind in kinds if kind not in KINDS]
        if kinds != sorted(set(kinds), key=lambda kind: (kind not in KINDS, kind)) and set(
            kinds
        ) <= set(KINDS):
            found.append("its kinds of change are out of order or repeated")
        for entries in re.split(r"^### .+$", release, flags=re.MULTILINE)[1:]:
            found += [
                f"{line!r} is no entry"
                for line in entries.splitlines()
                if line and not re.match(r"- [A-Z`].+\.$|\[.+\]: ", line)
            ]
            if not entries.strip():
                found.append("a kind of change has no entry")
    return found


CHANGELOG = Document.at(ROOT / "CHANGELOG.md").text


def test_the_changelog_keeps_its_format() -> None:
    assert problems_of(CHANGELOG) == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("# Changelog", "# News"),
        ("## [Unreleased]", "## Soon"),
        ("### Added", "### Stuff"),
        ("### Added\n", "### Added\n\n### Added\n"),
        ("### Added\n\n- ", "### Added\n\n* "),
        ("## [Unreleased]", "## [Unreleased]\n\n## [0.1.0]\n"),
        (
            "## [Unreleased]",
            "## [Unreleased]\n\n## [0.1.0] - 2026-11-23\n\n## [0.2.0] - 2026-11-24\n",
        ),
    ],
)
def test_a_departure_from_the_format_is_noticed(before: str, after: str) -> None:
    assert before in CHANGELOG
    assert problems_of(CHANGELOG.replace(before, after, 1))
