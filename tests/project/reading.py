"""The documents of the repository, and what they name."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from tidemark.cli.program import app

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
VERBS = getattr(typer.main.get_command(app), "commands")  # noqa: B009  a group's, which click types as any command

_NOT_OURS = {"node_modules", "build", "dist", "cdk.out"}
_FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"\[[^\]\n]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ +(.+?)\s*$", re.MULTILINE)


@dataclass(frozen=True)
class Document:
    """A Markdown file."""

    path: Path
    text: str

    @classmethod
    def at(cls, path: Path) -> Document:
        return cls(path, path.read_text(encoding="utf-8"))

    @property
    def prose(self) -> str:
        """The text without what is fenced."""
        return _FENCED.sub("", self.text)

    @property
    def links(self) -> list[str]:
        """The targets of all links and images."""
        return _LINK.findall(self.prose)

    @property
    def anchors(self) -> set[str]:
        """What GitHub calls the headings."""
        kept = (re.sub(r"[^\w\- ]", "", title.lower()) for title in _HEADING.findall(self.prose))
        return {title.replace(" ", "-") for title in kept}

    @property
    def sections(self) -> list[str]:
        """The headings of the second level, in order."""
        return re.findall(r"^## +(.+?)\s*$", self.prose, re.MULTILINE)

    def fenced(self, language: str) -> list[str]:
        """The blocks of a language."""
        return [block for name, block in _FENCED.findall(self.text) if name == language]

    @property
    def spans(self) -> list[str]:
        """What stands in backticks within a line."""
        return _SPAN.findall(self.prose)

    @property
    def commands(self) -> list[str]:
        """The command lines in console blocks, without their prompt."""
        return [
            line.removeprefix("$ ")
            for block in self.fenced("console")
            for line in block.splitlines()
            if line.startswith("$ ")
        ]


def documents() -> list[Document]:
    """Every Markdown file of the repository."""
    found = [Document.at(path) for path in _files(ROOT) if path.suffix == ".md"]
    assert len(found) > 10, "hardly any documents: what would these tests mean?"
    return sorted(found, key=lambda one: one.path)


def variables_of_make() -> set[str]:
    """The variables that the Makefile takes on the command line."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8").replace("\\\n", "")
    [listed] = re.findall(r"^VARIABLES = (.+)$", makefile, re.MULTILINE)
    return set(listed.split())


def variables_of_programs() -> set[str]:
    """The variables that verbs, Compose and the installing script read."""
    of_verbs = {one.envvar for verb in VERBS.values() for one in verb.params if one.envvar}
    compose = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    return of_verbs | set(re.findall(r"\$\{([A-Z_]+)", compose)) | {"PYTHON"}


def _files(folder: Path) -> Iterator[Path]:
    for here, folders, names in os.walk(folder):
        folders[:] = [
            name for name in folders if not name.startswith(".") and name not in _NOT_OURS
        ]
        yield from (Path(here) / name for name in names)
